import type { SigningRequest } from '../operations/kubelet-serving/signing-request.ts';
import type { ClusterNode, ClusterService } from '../operations/kubelet-serving/surroundings.ts';
import type { ApiAccess } from './connection.ts';
import { answered, isMalformed, isNotFound, isTooLarge, ClusterFailure } from './failure.ts';
import { withApi, type Ask } from './api.ts';
import { readClusterConfiguration } from './kubeadm-config-map.ts';
import {
  readRequestNames,
  putDecision,
  readRequest,
  type RequestDecision,
  type RequestObject,
} from './request-object.ts';
import { readKubernetesEndpoints, readNodes, readServices } from './surroundings.ts';

/** A CertificateSigningRequest as it was read. */
export interface FoundRequest {
  /** What is judged. */
  readonly request: SigningRequest;
  readonly uid: string;
  /** What a decision is sent back with. */
  readonly object: RequestObject;
}

/** A request that is too large, or that the API server cannot have meant. The others are read all the same. */
export interface UnreadableRequest {
  readonly name: string;
  readonly error: ClusterFailure;
}

/** What a decision needs to know of the cluster. */
interface ClusterView {
  readonly nodes: readonly ClusterNode[];
  readonly services: readonly ClusterService[];
  readonly kubernetesEndpoints: readonly string[];
  /** kubeadm's ClusterConfiguration, as text. */
  readonly clusterConfiguration: string;
}

/**
 * One connection, for a whole run. Each request is bounded to 10 s, and none is repeated here: a failure says whether another
 * try is worth it (`ClusterFailure.retryable`), and every call may be made again.
 * @throws ClusterFailure from every call
 */
export interface KubeletRequestsApi {
  /** The names of the requests of all signers. */
  names(): Promise<readonly string[]>;
  /** Reads one request, as each may be large. undefined: there is none of that name */
  read(name: string): Promise<FoundRequest | UnreadableRequest | undefined>;
  /** Reads all of the view, or fails. */
  view(): Promise<ClusterView>;
  /** Decides about exactly what was read. `changed`: the request has changed or is gone, and nothing was decided. */
  decide(found: FoundRequest, decision: RequestDecision): Promise<'decided' | 'changed'>;
}

/**
 * @param signal bounds all of it
 * @throws KubepkiError cluster, or what `use` throws
 */
export async function withKubeletRequests<T>(
  access: ApiAccess,
  signal: AbortSignal,
  use: (api: KubeletRequestsApi) => Promise<T>,
): Promise<T> {
  return withApi(access, signal, (ask) => use(apiOver(ask)));
}

function apiOver(ask: Ask): KubeletRequestsApi {
  return {
    names: () => readRequestNames(ask),
    read: (name) => read(ask, name),
    view: async () => ({
      nodes: await readNodes(ask),
      services: await readServices(ask),
      kubernetesEndpoints: await readKubernetesEndpoints(ask),
      clusterConfiguration: await readClusterConfiguration(ask),
    }),
    decide: ({ object }, decision) => decide(ask, object, decision),
  };
}

/** A kubelet's request has some kilobytes, its certificate included. A larger one need not be read to be refused. */
const mostBytes = 256 * 1024;

async function read(ask: Ask, name: string): Promise<FoundRequest | UnreadableRequest | undefined> {
  try {
    const object = await readRequest(ask, name, { mostBytes });
    return object && { request: signingRequest(object), uid: object.uid, object };
  } catch (error) {
    if (isMalformed(error)) return { name, error };
    if (!isTooLarge(error)) throw error;
    const sentence = `the CertificateSigningRequest ${name} is larger than ${String(mostBytes / 1024)} KiB`;
    return { name, error: new ClusterFailure(sentence, { retryable: false }, { cause: error }) };
  }
}

function signingRequest({ name, createdAt, spec, conditions, certificate }: RequestObject): SigningRequest {
  return {
    name,
    createdAt,
    ...spec,
    conditions: conditions.map(({ type }) => type),
    issued: certificate !== undefined,
  };
}

async function decide(
  ask: Ask,
  object: RequestObject,
  decision: RequestDecision,
): Promise<'decided' | 'changed'> {
  try {
    await putDecision(ask, object, decision);
    return 'decided';
  } catch (error) {
    if (answered(error) === 409 || isNotFound(error, object.name)) return 'changed';
    throw error;
  }
}
