import { isScalar } from 'yaml';
import type { Aliases } from '../yaml/nodes.ts';
import type { Embedded, MaybeEmbedded } from './kubeconfig.ts';
import { badKubeconfig, find, findText, isNull } from './lookup.ts';
import { readNodes, type KubeconfigNodes } from './read.ts';

/** How the current context reaches its API server. Files are as written, and not read yet. */
interface Connection {
  readonly server: URL;
  /** The name to expect in the server's certificate; undefined: that of the URL. */
  readonly serverName: string | undefined;
  readonly ca: MaybeEmbedded;
  readonly credentials: Credentials;
}

type Credentials =
  | { readonly kind: 'certificate'; readonly certificate: Embedded; readonly key: Embedded }
  | { readonly kind: 'token'; readonly token: string };

/**
 * The fields of a kubeconfig's user that kubepki refuses. Programs above all: kubepki runs as root, and a
 * kubeconfig that has been copied to the node must not decide what root runs.
 */
const refusedOfUser = [
  ['exec', 'runs a program for its credentials (exec), which kubepki never does'],
  ['auth-provider', 'has an auth-provider, which kubepki does not use'],
  ['as', 'acts as another user (as), which kubepki does not'],
  ['as-uid', 'acts as another user (as-uid), which kubepki does not'],
  ['as-groups', 'acts as another user (as-groups), which kubepki does not'],
  ['as-user-extra', 'acts as another user (as-user-extra), which kubepki does not'],
] as const;

/**
 * Reads only what kubepki can and will use; anything else is refused rather than passed over.
 * @throws KubepkiError bad-kubeconfig, without a file
 */
export function readConnection(text: string): Connection {
  const { kubeconfig, nodes } = readNodes(text);
  const { aliases, cluster, user } = nodes;
  for (const [field, sentence] of refusedOfUser) {
    if (isGiven(aliases, user, field)) throw badKubeconfig(`user ${kubeconfig.userName} ${sentence}`);
  }
  if (findText(aliases, cluster, 'proxy-url') !== undefined) {
    throw badKubeconfig(
      `cluster ${kubeconfig.clusterName} is reached through a proxy, which kubepki does not use`,
    );
  }
  if (/^true$/i.test(findText(aliases, cluster, 'insecure-skip-tls-verify') ?? '')) {
    // What comes back decides which directory is changed.
    throw badKubeconfig(
      `cluster ${kubeconfig.clusterName} is not verified (insecure-skip-tls-verify), and kubepki takes no configuration from a server that it cannot verify`,
    );
  }
  return {
    server: serverUrl(kubeconfig.server),
    serverName: findText(aliases, cluster, 'tls-server-name'),
    ca: kubeconfig.clusterCa,
    credentials: credentialsOf(kubeconfig, nodes),
  };
}

function serverUrl(server: string | undefined): URL {
  if (server === undefined) throw badKubeconfig('names no API server');
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url?.protocol !== 'https:') throw badKubeconfig(`server ${JSON.stringify(server)} is not an https URL`);
  return url;
}

function credentialsOf(
  {
    userName,
    clientCertificate,
    clientKey,
  }: {
    readonly userName: string;
    readonly clientCertificate: MaybeEmbedded;
    readonly clientKey: MaybeEmbedded;
  },
  { aliases, user }: KubeconfigNodes,
): Credentials {
  if (clientCertificate.kind !== 'absent') {
    if (clientKey.kind === 'absent') throw badKubeconfig(`user ${userName} has a certificate without a key`);
    return { kind: 'certificate', certificate: clientCertificate, key: clientKey };
  }
  const token = findText(aliases, user, 'token');
  if (token === undefined)
    throw badKubeconfig(`user ${userName} has neither a client certificate nor a token`);
  return { kind: 'token', token };
}

function isGiven(aliases: Aliases, user: KubeconfigNodes['user'], field: string): boolean {
  const value = find(aliases, user, field)?.value;
  return value !== undefined && !isNull(value) && !(isScalar(value) && value.value === '');
}
