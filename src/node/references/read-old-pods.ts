import type { Ask } from '../../cluster/api.ts';
import { readRootCaTimes, readRunningPods } from '../../cluster/reference-objects.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { oldPods, type OldPods } from '../../operations/references/old-pods.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';

/** A certificate is dated back so far. */
const backdateMs = 5 * 60_000;

/**
 * The pods that may know the old CA alone.
 * @param next the new CA, as far as it signs what this node shows
 * @throws ClusterFailure
 */
export async function readOldPods(
  ask: Ask,
  next: Certificate,
  { certificates }: Pick<Inventory, 'certificates'>,
): Promise<OldPods> {
  const [pods, published] = await Promise.all([readRunningPods(ask), readRootCaTimes(ask)]);
  const begun = certificates.flatMap(({ spec, state }) => {
    if (spec.kind !== 'leaf' || state.status !== 'present') return [];
    const [leaf] = state.value.chain;
    return isIssuedBy(leaf, next) ? [leaf.notBefore.getTime()] : [];
  });
  const switchedAt = begun.length === 0 ? undefined : new Date(Math.min(...begun) + backdateMs);
  return oldPods(pods, published, { next, switchedAt });
}
