import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiAccess } from '../../cluster/connection.ts';
import type { SigningApi, SigningWish } from '../../cluster/signing.ts';
import { KubepkiError } from '../../errors/error.ts';
import { readRegularFile } from '../../filesystem/regular-file.ts';
import type { KubeconfigState } from '../../inventory/inventory.ts';
import { readApiAccess } from '../../node/cluster-access.ts';
import { namedAlgorithm, type Node } from '../../node/node-options.ts';
import { chooseKey } from '../../operations/issuing/key-choice.ts';
import { identityOf } from '../../operations/owners/identity.ts';
import type { RotatedAuthority } from '../../operations/rotation/plan.ts';
import { requestName } from '../../operations/use-api/answers.ts';
import {
  kubeletSigner,
  requestOf,
  requireIssued,
  type KubeletCredentials,
} from '../../operations/worker-rotation/kubelet-certificate.ts';
import { generatePrivateKey } from '../../pki/key/private-key.ts';
import { randomSuffix } from '../../pki/key/random.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** The signer and the approver of kube-controller-manager take seconds. */
const boundMs = 120_000;
const firstPauseMs = 500;
const longestPauseMs = 5000;

/**
 * Asks the certificates API for the kubelet's certificate, as the kubelet does when it rotates it. The key stays in memory until it is
 * written with its certificate: of a run that is killed nothing is left but a request that the cluster clears away after an hour.
 * @throws KubepkiError cluster and others; nothing was changed
 */
export async function askKubeletCertificate(
  kubelet: KubeconfigState,
  authority: RotatedAuthority,
  node: Node,
  terminal: Terminal,
): Promise<KubeletCredentials> {
  const [leaf] = kubelet.chain;
  const { algorithm } = chooseKey(leaf, namedAlgorithm(node), kubelet.file.path);
  const key = await generatePrivateKey(algorithm);
  const { request, usages } = requestOf(kubelet, key);
  const [name = ''] = identityOf(leaf).commonNames;
  const wish: SigningWish = {
    name: requestName(name.replace(/^system:node:/, ''), 'kubelet.conf', randomSuffix()),
    signerName: kubeletSigner,
    request: Buffer.from(request),
    usages,
    expirationSeconds: undefined,
    labels: { 'app.kubernetes.io/managed-by': 'kubepki' },
  };
  const access = accessOf(kubelet, node);
  const { withSigningApi } = await import('../../cluster/signing.ts');
  const progress = terminal.progress("asking for the kubelet's certificate");
  try {
    // Every request has a bound, and waiting has its own.
    const pem = await withSigningApi(access, new AbortController().signal, (api) =>
      issued(api, wish, terminal),
    );
    return requireIssued(pem, authority, { replaces: leaf, key, now: new Date() });
  } finally {
    progress.end();
  }
}

/** The API server of kubelet.conf, and the certificate that the kubelet shows it. */
function accessOf({ file, rotated }: KubeconfigState, { layout: { root } }: Node): ApiAccess {
  const access = readApiAccess(root, file.path);
  if (access === undefined) throw new KubepkiError('not-found', 'no such file', { file: file.path });
  if (rotated === undefined) return access;
  const { path } = rotated.target;
  const pair = readRegularFile(root.resolve(path), path);
  if (pair === undefined) return access;
  return { ...access, credentials: { kind: 'certificate', certificate: pair.bytes, key: pair.bytes } };
}

/** @returns PEM, not looked at */
async function issued(api: SigningApi, wish: SigningWish, terminal: Terminal): Promise<string> {
  const deadline = performance.now() + boundMs;
  const { name } = wish;
  let isSubmitted = false;
  let isTold = false;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
    const isLast = performance.now() >= deadline;
    try {
      if (!isSubmitted) await api.submit(wish);
      isSubmitted = true;
      const standing = await api.standing(name);
      switch (standing.kind) {
        case 'issued':
          return standing.certificate;
        case 'denied':
        case 'failed':
        case 'gone':
          throw new KubepkiError('cluster', `the request ${name} was ${saidOf(standing)}`, {
            hint: "kube-controller-manager's log may say more; then this command again",
          });
        case 'pending':
        case 'approved':
          if (isLast) throw late(name, standing.kind);
          if (standing.kind === 'pending' && !isTold && pauseMs > 2000) {
            terminal.note(`waiting for approval of ${name}, ${String(boundMs / 1000)} s at most`);
            terminal.hint(`kubectl certificate approve ${name}`);
            isTold = true;
          }
      }
    } catch (error) {
      // An API server that is restarted is gone for a while.
      if (isLast || !isRetryable(error)) throw error;
    }
    await sleep(pauseMs);
  }
}

function saidOf(standing: Awaited<ReturnType<SigningApi['standing']>>): string {
  switch (standing.kind) {
    case 'denied':
    case 'failed': {
      const because = [standing.reason, standing.message].filter((text) => text !== '').join(': ');
      const what = standing.kind === 'denied' ? 'denied' : 'given up by its signer';
      return because === '' ? what : `${what}: ${because}`;
    }
    default:
      return 'deleted before it was signed';
  }
}

function late(name: string, standing: 'pending' | 'approved'): KubepkiError {
  return standing === 'pending'
    ? new KubepkiError('cluster', `the request ${name} was not approved within ${String(boundMs / 1000)} s`, {
        hint: 'kubeadm has it approved by the ClusterRoleBinding kubeadm:node-autoapprove-certificate-rotation: see whether that is there; or approve the request while this command waits',
      })
    : new KubepkiError('cluster', `the request ${name} was not signed within ${String(boundMs / 1000)} s`, {
        hint: 'see whether kube-controller-manager runs, and what it says of it; then this command again',
      });
}

function isRetryable(error: unknown): boolean {
  return error instanceof KubepkiError && 'retryable' in error && error.retryable === true;
}
