import type { SigningApi } from '../../../cluster/signing.ts';
import { requireApiAccess } from '../../../node/cluster-access.ts';
import type { Node } from '../../../node/node-options.ts';
import type { ApiOptions } from './api-options.ts';

/** Loaded only here: most commands ask no API server. */
export async function connected<T>(
  node: Node,
  { kubeconfig }: ApiOptions,
  use: (api: SigningApi) => Promise<T>,
): Promise<T> {
  const access = requireApiAccess(node.layout.root, kubeconfig);
  const { withSigningApi } = await import('../../../cluster/signing.ts');
  // Nobody calls it off: every request has a bound, waiting has its own, and a signal ends the process.
  return withSigningApi(access, new AbortController().signal, use);
}
