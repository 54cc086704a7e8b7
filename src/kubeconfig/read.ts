import { isMap, type YAMLMap } from 'yaml';
import type { Aliases } from '../yaml/nodes.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import type { Kubeconfig, MaybeEmbedded, PartialKubeconfig } from './kubeconfig.ts';
import { readPlainKubeconfig } from './plain-kubeconfig.ts';
import { badKubeconfig, findNamed, findText, isNull, namesIn } from './lookup.ts';
import { KubepkiError } from '../errors/error.ts';

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The YAML nodes a rewrite needs. */
export interface KubeconfigNodes {
  readonly aliases: Aliases;
  readonly user: YAMLMap;
  readonly cluster: YAMLMap;
}

/**
 * Reads what the current context leads to. Where kubeadm has a sentence for a fault, the sentence is kubeadm's.
 * @throws KubepkiError bad-kubeconfig, without a file
 */
export function readKubeconfig(text: string): Kubeconfig {
  return readPlainKubeconfig(text) ?? readAnyKubeconfig(text);
}

/** Reads it by the YAML parser alone. */
export function readAnyKubeconfig(text: string): Kubeconfig {
  const { kubeconfig } = readNodes(text);
  const { clientCertificate } = kubeconfig;
  if (clientCertificate.kind === 'absent') {
    throw badKubeconfig('does not have an embedded client certificate, nor does it name one');
  }
  return { ...kubeconfig, clientCertificate };
}

/** @throws KubepkiError bad-kubeconfig, without a file */
export function readPartialKubeconfig(text: string): PartialKubeconfig {
  return readPlainKubeconfig(text) ?? readNodes(text).kubeconfig;
}

/**
 * Reads every user that a context leads to, each as one of its contexts sees it. A context that leads nowhere is passed over.
 * @throws KubepkiError bad-kubeconfig, without a file, for a text that is no kubeconfig
 */
export function readUsers(text: string): PartialKubeconfig[] {
  const plain = readPlainKubeconfig(text);
  if (plain !== undefined) return [plain];
  const whole = readRoot(text);
  const users = new Map<string, PartialKubeconfig>();
  for (const name of namesIn(whole.aliases, whole.root, 'contexts')) {
    try {
      const { kubeconfig } = asSeenFrom(name, text, whole);
      if (!users.has(kubeconfig.userName)) users.set(kubeconfig.userName, kubeconfig);
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
    }
  }
  return [...users.values()];
}

/**
 * @param context undefined: the current one
 * @throws KubepkiError bad-kubeconfig, without a file
 */
export function readNodes(
  text: string,
  context?: string,
): {
  kubeconfig: PartialKubeconfig;
  nodes: KubeconfigNodes;
  value: unknown;
} {
  const whole = readRoot(text);
  const contextName = context ?? findText(whole.aliases, whole.root, 'current-context');
  if (contextName === undefined) {
    throw badKubeconfig(
      'has no current-context',
      'name one: kubectl config use-context NAME --kubeconfig FILE',
    );
  }
  return { ...asSeenFrom(contextName, text, whole), value: whole.value };
}

function asSeenFrom(
  contextName: string,
  text: string,
  { aliases, root }: Pick<ReturnType<typeof readRoot>, 'aliases' | 'root'>,
): { kubeconfig: PartialKubeconfig; nodes: KubeconfigNodes } {
  const context = findNamed(aliases, root, 'contexts', 'context', contextName);
  if (context === undefined) throw badKubeconfig(`missing context ${contextName}`);
  const clusterName = findText(aliases, context, 'cluster') ?? '';
  const cluster = findNamed(aliases, root, 'clusters', 'cluster', clusterName);
  if (cluster === undefined) throw badKubeconfig(`missing cluster ${clusterName}`);
  const userName = findText(aliases, context, 'user') ?? '';
  const user = findNamed(aliases, root, 'users', 'user', userName);
  if (user === undefined) throw badKubeconfig(`missing authInfo ${userName}`);

  return {
    kubeconfig: {
      text,
      contextName,
      clusterName,
      userName,
      server: findText(aliases, cluster, 'server'),
      clientCertificate: embedded(aliases, user, 'client-certificate'),
      clientKey: embedded(aliases, user, 'client-key'),
      clusterCa: embedded(aliases, cluster, 'certificate-authority'),
    },
    nodes: { aliases, user, cluster },
  };
}

/**
 * The whole document.
 * @throws KubepkiError bad-kubeconfig, without a file
 */
export function readRoot(text: string): { aliases: Aliases; root: YAMLMap; value: unknown } {
  const [first, ...others] = parseYaml(text, { code: 'bad-kubeconfig', schema: 'failsafe' });
  if (first === undefined || first.document.contents === null) throw badKubeconfig('is empty');
  // A closing `---` leaves an empty one, which kubectl passes over too.
  if (others.some(({ document: { contents } }) => contents !== null && !isNull(contents))) {
    throw badKubeconfig('holds several YAML documents');
  }
  const { document, aliases, value } = first;
  const root = document.contents;
  if (!isMap(root)) throw badKubeconfig('is not a kubeconfig: it is not a mapping');
  requireHeader(aliases, root);
  return { aliases, root, value };
}

// clientcmd takes a file without these for one of its own.
function requireHeader(aliases: Aliases, root: YAMLMap): void {
  for (const [field, expected] of [
    ['kind', 'Config'],
    ['apiVersion', 'v1'],
  ] as const) {
    const text = findText(aliases, root, field);
    if (text !== undefined && text !== expected) {
      throw badKubeconfig(`is not a kubeconfig: its ${field} is not ${expected}`);
    }
  }
}

// clientcmd: `x-data` overrides `x`, unless it decodes to nothing.
export function embedded(aliases: Aliases, map: YAMLMap, name: string): MaybeEmbedded {
  const bytes = decode(findText(aliases, map, `${name}-data`) ?? '', `${name}-data`);
  if (bytes.length > 0) return { kind: 'data', bytes };
  const path = findText(aliases, map, name);
  return path === undefined ? { kind: 'absent' } : { kind: 'file', path };
}

// Go's base64 passes over line ends and nothing else.
function decode(text: string, field: string): Buffer {
  const compact = text.replace(/[\r\n]/g, '');
  if (compact.length % 4 !== 0 || !base64.test(compact)) throw badKubeconfig(`${field} is not valid base64`);
  return Buffer.from(compact, 'base64');
}
