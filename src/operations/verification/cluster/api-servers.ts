import { isoSeconds } from '../../../pki/der/time.ts';
import { publicKeyOf } from '../../../pki/key/private-key.ts';
import { keyId, type PublicKey } from '../../../pki/key/public-key.ts';
import { validatePath } from '../../../pki/path/path.ts';
import { lastFlagValue } from '../../node/component-flags.ts';
import { lookAtEach, nothingHere, type Grade, type Look, type Trouble } from '../check.ts';
import type { Observed } from '../observed.ts';
import { addressText, counted, lookAtAnswer } from './asked.ts';
import type { ApiServer, Cluster } from './cluster.ts';

function trouble(server: ApiServer, grade: Grade, message: string, hint: string | undefined): Trouble {
  return { grade, name: 'kube-apiserver', file: addressText(server), message, hint };
}

/** All control planes of a cluster have one CA: a client knows no other. */
export function shareTheAuthority(observed: Observed): Look {
  const { inventory, now, command } = observed.subject;
  const restart = command('restart kube-apiserver');
  const authority = inventory.authorities.find(({ spec }) => spec.name === 'ca');
  if (authority?.bundle.status !== 'present') return nothingHere;
  const bundle = authority.bundle.value;
  const isOwn = isOwnIn(observed);
  return lookAtAnswer(
    observed,
    'the certificates of the API servers',
    ({ apiServers }) => apiServers,
    (servers): Look =>
      lookAtEach(servers, (server): Trouble[] => {
        const { shown } = server;
        if (shown.status !== 'shown') {
          const message = `the API server shows no certificate: ${shown.status === 'late' ? 'the time was over' : shown.why}`;
          return [
            trouble(server, 'unchecked', message, 'see whether it runs there, and can be reached from here'),
          ];
        }
        const [leaf, ...others] = shown.chain;
        const where = isOwn(server)
          ? `restart it: ${restart}`
          : 'see to it on that node: kubepki verify --live';
        if (leaf.notAfter.getTime() < now.getTime()) {
          const message = `the API server serves a certificate that expired on ${isoSeconds(leaf.notAfter)}`;
          return [trouble(server, 'error', message, where)];
        }
        const path = validatePath(leaf, others, bundle, now);
        switch (path.status) {
          case 'trusted':
            return [];
          case 'untrusted':
            return [
              trouble(server, 'error', `the API server serves a certificate that ${path.reason}`, where),
            ];
          case 'unrelated':
            return [
              trouble(
                server,
                'error',
                `the API server serves a certificate of another CA than ${authority.certificatePath}`,
                isOwn(server)
                  ? where
                  : 'compare ca.crt of that node with that of this one: all control-plane nodes have the same',
              ),
            ];
        }
      }),
  );
}

/** A token that one API server signs is shown to another: each must know the key. */
export function knowTheTokenKey(observed: Observed): Look {
  const keys = keysOf(observed);
  const restart = observed.subject.command('restart kube-apiserver');
  if (keys === undefined) return nothingHere;
  const signing = keyId(keys.signing);
  const known = keys.known && new Set([signing, ...keys.known.map(keyId)]);
  const isOwn = isOwnIn(observed);
  return lookAtAnswer(
    observed,
    'the keys of the tokens',
    ({ apiServers }) => apiServers,
    (servers): Look => {
      // Without the discovery of the token issuer an API server does not tell.
      const judged = servers.filter(({ tokenKeys }) => tokenKeys.status !== 'absent');
      return lookAtEach(judged, (server): Trouble[] => {
        const { tokenKeys } = server;
        if (tokenKeys.status === 'absent') return [];
        if (tokenKeys.status === 'unasked') {
          const message = `the API server does not say by which keys it judges tokens: ${tokenKeys.why}`;
          return [trouble(server, 'unchecked', message, tokenKeys.hint)];
        }
        const hint = isOwn(server)
          ? `it reads them at its start only: ${restart}`
          : 'give all control-plane nodes the same sa.key and sa.pub, and restart kube-apiserver and kube-controller-manager';
        if (!tokenKeys.value.includes(signing)) {
          const message = `the API server does not know the key of ${keys.path}: it refuses the tokens that this node signs`;
          return [trouble(server, 'error', message, hint)];
        }
        const more = known === undefined ? [] : tokenKeys.value.filter((id) => !known.has(id));
        return more.length === 0
          ? []
          : [
              trouble(
                server,
                'warning',
                `the API server knows ${counted(more.length, 'key')} of tokens that this node does not: tokens of that key are refused here`,
                hint,
              ),
            ];
      });
    },
  );
}

interface TokenKeys {
  readonly signing: PublicKey;
  /** Where the key that signs is. */
  readonly path: string;
  /** All by which this node judges tokens; undefined: not all of them can be read. */
  readonly known: readonly PublicKey[] | undefined;
}

function keysOf({ manifestFiles, serviceAccount, pods }: Observed): TokenKeys | undefined {
  const pod = pods['kube-apiserver'];
  // Another program signs them, and no file has its key.
  if (pod.status === 'present' && lastFlagValue(pod.value.words, 'service-account-signing-endpoint'))
    return undefined;
  const contents = manifestFiles.filter(({ component }) => component === 'kube-apiserver');
  const signer = contents.find(({ file }) => file.kind === 'token-signer');
  const named = contents.filter(({ file }) => file.kind === 'token-keys');
  const { key, publicKeys } = serviceAccount;
  const read = [
    ...(publicKeys.content.status === 'present' ? publicKeys.content.value : []),
    ...named.flatMap(({ content }) =>
      content.status === 'present' && content.value.kind === 'public-keys' ? content.value.keys : [],
    ),
  ];
  const known = named.every(({ content }) => content.status === 'present') ? read : undefined;
  if (
    signer?.path !== undefined &&
    signer.content.status === 'present' &&
    signer.content.value.kind === 'key'
  )
    return { signing: publicKeyOf(signer.content.value.key), path: signer.path, known };
  if (key?.content.status === 'present')
    return { signing: publicKeyOf(key.content.value), path: key.target.path, known };
  const [first] = read;
  return first && { signing: first, path: publicKeys.target.path, known };
}

/** Whether an API server is the one of this node. */
function isOwnIn({ pods }: Observed): (server: ApiServer) => boolean {
  const own = ownAddress(pods);
  return ({ host }) => host === own;
}

function ownAddress(pods: Observed['pods']): string | undefined {
  const pod = pods['kube-apiserver'];
  return pod.status === 'present' ? lastFlagValue(pod.value.words, 'advertise-address') : undefined;
}

/**
 * Whether the kubeconfig has led to another cluster than this node's: an API server of this node is not among its own, not even as a
 * Node that is down, and no other is of this node's CA.
 */
export function isAnotherCluster(observed: Observed, { apiServers }: Pick<Cluster, 'apiServers'>): boolean {
  const { inventory, now } = observed.subject;
  const authority = inventory.authorities.find(({ spec }) => spec.name === 'ca');
  const own = ownAddress(observed.pods);
  if (authority?.bundle.status !== 'present' || own === undefined || apiServers.status !== 'answered')
    return false;
  const bundle = authority.bundle.value;
  const chains = apiServers.value.flatMap(({ shown }) => (shown.status === 'shown' ? [shown.chain] : []));
  return (
    chains.length > 0 &&
    apiServers.value.every(({ host }) => host !== own) &&
    chains.every(([leaf, ...others]) => validatePath(leaf, others, bundle, now).status === 'unrelated')
  );
}
