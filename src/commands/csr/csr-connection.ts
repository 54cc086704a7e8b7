import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeletRequestsApi } from '../../cluster/kubelet-requests.ts';
import { FileSystemRoot } from '../../filesystem/root.ts';
import { requireApiAccess } from '../../node/cluster-access.ts';
import type { CsrOptions } from './csr-flags.ts';
import { workingDirectory } from '../../node/node-options.ts';

/** For all of it. Each request has a bound of its own, and the first that fails for good is the last. */
const boundMs = 5 * 60_000;
const attempts = 3;
const firstPauseMs = 500;
/** Where the API server asks for a longer wait, the operator is told so, and decides. */
const longestPauseMs = 10_000;
/** What took as long to fail would take as long again. */
const slowMs = 5000;

export function openRoot({ rootfs, kubeconfig }: CsrOptions): FileSystemRoot {
  return FileSystemRoot.open(
    rootfs,
    workingDirectory({ ...(rootfs && { rootfs }), ...(kubeconfig && { config: kubeconfig }) }),
  );
}

/** @throws KubepkiError for a kubeconfig that is not there or cannot be used, and whatever goes wrong with the cluster */
export async function withRequests<T>(
  root: FileSystemRoot,
  { kubeconfig }: CsrOptions,
  use: (api: KubeletRequestsApi) => Promise<T>,
): Promise<T> {
  const access = requireApiAccess(root, kubeconfig);
  // Loaded only here: most commands ask no API server.
  const { withKubeletRequests } = await import('../../cluster/kubelet-requests.ts');
  return withKubeletRequests(access, AbortSignal.timeout(boundMs), (api) =>
    use({
      ...api,
      names: () => patiently(() => api.names()),
      read: (name) => patiently(() => api.read(name)),
      view: () => patiently(() => api.view()),
    }),
  );
}

/** Asks again, a few times, where an API server that is restarted or busy may answer in a moment. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let left = attempts - 1; ; left -= 1) {
    const startedAt = performance.now();
    try {
      return await ask();
    } catch (error) {
      const failures = attempts - left;
      if (left === 0 || !(await isWorthAnother(error, { failures, startedAt }))) throw error;
    }
  }
}

/**
 * Has waited as long as it must when it says yes.
 * @param startedAt of the try that failed, on the clock of `performance`
 */
export async function isWorthAnother(
  error: unknown,
  { failures, startedAt }: { readonly failures: number; readonly startedAt: number },
): Promise<boolean> {
  if (!isRetryable(error) || performance.now() - startedAt > slowMs) return false;
  const pauseMs = error.retryAfterMs ?? firstPauseMs * failures;
  if (pauseMs > longestPauseMs) return false;
  await sleep(pauseMs);
  return true;
}

/** A ClusterFailure, whose module is loaded with what asks the API server. */
interface RetryableError extends Error {
  readonly retryable: true;
  readonly retryAfterMs: number | undefined;
}

export function isRetryable(error: unknown): error is RetryableError {
  return error instanceof Error && 'retryable' in error && error.retryable === true;
}
