import { accessTo, apiServerPlaces, type Place } from '../cluster/api-servers.ts';
import { withApi, type Ask } from '../cluster/api.ts';
import type { ApiAccess } from '../cluster/connection.ts';
import { answered } from '../cluster/failure.ts';
import { readServingNodes, readTokenKeyIds } from '../cluster/pki-objects.ts';
import { readApiServers } from '../cluster/surroundings.ts';
import {
  readControllerManagers,
  readSigningKeyId,
  readTokenMetrics,
  readTokenSecrets,
} from '../cluster/token-objects.ts';
import { KubepkiError } from '../errors/error.ts';
import type { clusterFlags, Typed } from '../flags/table.ts';
import type { TokenApiServer, TokenCluster } from '../operations/token-key/cluster.ts';
import type { Asked } from '../operations/verification/cluster/cluster.ts';
import { requireNodeAccess } from './cluster-access.ts';
import type { Node } from './node-options.ts';

/** For all of it. */
const boundMs = 15_000;
/** For one API server: it answers in milliseconds, or is not there. Its metrics take a while. */
const serverMs = 5000;

/**
 * Asks each API server which keys it knows and signs with, and the cluster for the tokens that never end. Never throws for what it cannot be
 * asked: that is told of each question by itself.
 * @returns undefined with --offline
 */
export async function askTokenKeys(
  { layout }: Node,
  { kubeconfig, offline }: Typed<(typeof clusterFlags)[number]>,
): Promise<TokenCluster | undefined> {
  if (offline === true) return undefined;
  const signal = AbortSignal.timeout(boundMs);
  try {
    const access = requireNodeAccess(layout, kubeconfig);
    return await withApi(access, signal, async (ask) => {
      const [apiServers, controllerManagers, secrets] = await Promise.all([
        askApiServers(ask, access, signal),
        asked(readControllerManagers(ask)),
        asked(readTokenSecrets(ask)),
      ]);
      return { apiServers, controllerManagers, secrets };
    });
  } catch (error) {
    const nothing = unasked(error);
    return { apiServers: nothing, controllerManagers: nothing, secrets: nothing };
  }
}

async function askApiServers(
  ask: Ask,
  access: ApiAccess,
  signal: AbortSignal,
): Promise<TokenCluster['apiServers']> {
  const [found, nodes] = await Promise.all([asked(readApiServers(ask)), asked(readServingNodes(ask))]);
  if (found.status !== 'answered') return found;
  // A control-plane node that is down is no endpoint, and only its Node tells of it.
  if (nodes.status !== 'answered') return nodes;
  const places = apiServerPlaces(found.value, nodes.value);
  return {
    status: 'answered',
    value: await Promise.all(places.map((place) => askOne(place, access, signal))),
  };
}

async function askOne(place: Place, access: ApiAccess, signal: AbortSignal): Promise<TokenApiServer> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(serverMs)]);
  try {
    const answers = await withApi(accessTo(place, access), bounded, async (ask) => {
      const [known, signing, metrics] = await Promise.all([
        asked(readTokenKeyIds(ask)),
        asked(readSigningKeyId(ask)),
        asked(readTokenMetrics(ask)),
      ]);
      return { known, signing, metrics };
    });
    return { ...place, ...answers };
  } catch (error) {
    const nothing = unasked(error);
    return { ...place, known: nothing, signing: nothing, metrics: nothing };
  }
}

/** A path that an API server does not know: it is older than the question, or was told not to answer it. */
async function asked<T>(answer: Promise<T>): Promise<Asked<T>> {
  try {
    return { status: 'answered', value: await answer };
  } catch (error) {
    return answered(error) === 404
      ? { status: 'unasked', why: 'it has no such thing (404)', hint: undefined }
      : unasked(error);
  }
}

function unasked(error: unknown): Extract<Asked<never>, { status: 'unasked' }> {
  if (!(error instanceof KubepkiError)) throw error;
  const { message, file, hint } = error;
  return { status: 'unasked', why: file === undefined ? message : `${file}: ${message}`, hint };
}
