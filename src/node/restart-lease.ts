import { hostname } from 'node:os';
import { accessTo, type Place } from '../cluster/api-servers.ts';
import { withApi, type Ask } from '../cluster/api.ts';
import type { ApiAccess } from '../cluster/connection.ts';
import { answered, ClusterFailure } from '../cluster/failure.ts';
import { changedMeanwhile, readLease, writeLease, type StoredLease } from '../cluster/lease.ts';
import { KubepkiError } from '../errors/error.ts';
import { bootId, unknownBoot } from '../inventory/boot-id.ts';
import { readNodeTraces } from '../inventory/node-traces.ts';
import { foundIdentity } from '../operations/names/found-identity.ts';
import { leaseName, type LeaseAnswer, type LeaseSelf, type LeaseStore } from '../operations/restart/lease.ts';
import { requireNodeAccess } from './cluster-access.ts';
import type { Node } from './node-options.ts';

/** For one question at one API server. */
const boundMs = 5000;
const defaultPort = 6443;

/** The Lease of this node's cluster. */
interface RestartLease {
  readonly store: LeaseStore<StoredLease>;
  readonly self: LeaseSelf;
}

/**
 * How this node asks for the Lease: by the address of the kubeconfig, and where nothing answers there by its own API server, as that
 * address may lead to the one that another node restarts.
 * @param given undefined: the admin.conf of this node
 * @throws KubepkiError naming a file, where the kubeconfig cannot be used
 */
export function openRestartLease({ layout }: Node, given: string | undefined, now: () => Date): RestartLease {
  const access = requireNodeAccess(layout, given);
  const { nodeName, advertiseAddress, bindPort } = foundIdentity(readNodeTraces(layout));
  const own: Place[] =
    advertiseAddress.status === 'found'
      ? [{ host: advertiseAddress.value, port: bindPort.status === 'found' ? bindPort.value : defaultPort }]
      : [];
  const boot = bootId();
  return {
    store: storeAt([access, ...own.map((place) => accessTo(place, access))], now),
    self: {
      node: nodeName.status === 'found' ? nodeName.value : hostname().toLowerCase(),
      boot: boot === unknownBoot ? undefined : boot,
    },
  };
}

function storeAt(ways: readonly ApiAccess[], now: () => Date): LeaseStore<StoredLease> {
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
