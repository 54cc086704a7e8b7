import { accessTo, type Place } from '../cluster/api-servers.ts';
import { withApi, type Ask } from '../cluster/api.ts';
import type { ApiAccess } from '../cluster/connection.ts';
import { answered, ClusterFailure } from '../cluster/failure.ts';
import { changedMeanwhile, readLease, writeLease, type StoredLease } from '../cluster/lease.ts';
import { KubepkiError } from '../errors/error.ts';
import { leaseName, type LeaseAnswer, type LeaseStore } from '../operations/restart/lease.ts';

/** For one question at one API server. */
const boundMs = 5000;

/**
 * The Lease in the cluster, by the address of the kubeconfig, and where nothing answers there by this node's own API server: that
 * address may lead to the one that another node restarts.
 * @param own undefined: this node has none
 */
export function leaseStore(
  access: ApiAccess,
  own: Place | undefined,
  now: () => Date,
): LeaseStore<StoredLease> {
  const ways = own === undefined ? [access] : [access, accessTo(own, access)];
  return {
    read: () => answerOf(ways, async (ask) => readLease(ask, leaseName)),
    write: (before, claim) =>
      answerOf(
        ways,
        async (ask) => writeLease(ask, leaseName, { before, claim, now: now() }),
        (error) => (changedMeanwhile(error) ? ({ status: 'changed' } as const) : undefined),
      ),
  };
}

async function answerOf<T, Other = never>(
  [way, ...others]: readonly ApiAccess[],
  use: (ask: Ask) => Promise<T>,
  otherwise: (error: unknown) => Other | undefined = () => undefined,
): Promise<LeaseAnswer<T> | Other> {
  if (way === undefined) throw new TypeError('there is no way to an API server');
  try {
    return { status: 'done', value: await withApi(way, AbortSignal.timeout(boundMs), use) };
  } catch (error) {
    const other = otherwise(error);
    if (other !== undefined) return other;
    if (!(error instanceof KubepkiError)) throw error;
    if (isNo(error)) return { status: 'refused', error };
    // A write that may have been made already is made once: it goes by the version.
    return others.length > 0 ? answerOf(others, use, otherwise) : { status: 'unanswered', error };
  }
}

/** Said by an API server that knows who asks. */
function isNo(error: KubepkiError): boolean {
  const status = error instanceof ClusterFailure ? answered(error) : undefined;
  return status === 403 || status === 422;
}
