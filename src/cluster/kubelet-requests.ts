import {
  CertificatesV1Api,
  V1CertificateSigningRequest,
  V1CertificateSigningRequestStatus,
} from '@kubernetes/client-node';
import type { SigningRequest } from '../operations/kubelet-serving/signing-request.ts';
import type { ClusterNode, ClusterService } from '../operations/kubelet-serving/surroundings.ts';
import type { ApiAccess } from './access.ts';
import { answered, isNotFound, isTooLarge } from './answered.ts';
import { withApi, type Ask } from './api.ts';
import { ClusterFailure } from './cluster-failure.ts';
import { clusterConfigurationOf } from './kubeadm-config-map.ts';
import { notList, partsOf } from './list-all.ts';
import { readRequestNames } from './request-names.ts';
import { requestObjectIn, type RequestObject } from './request-object.ts';
import { readKubernetesEndpoints, readNodes, readServices } from './surroundings.ts';

/** A CertificateSigningRequest as it was read: what is judged, and what an answer to it is sent back with. */
export interface FoundRequest {
  readonly request: SigningRequest;
  readonly uid: string;
  readonly object: RequestObject;
}

/** One that is too large, or that the API server cannot have meant: the others are read all the same. */
export interface UnreadableRequest {
  readonly name: string;
  readonly error: ClusterFailure;
}

export interface RequestDecision {
  readonly type: 'Approved' | 'Denied';
  /** For programs, a CamelCase word; and for people. */
  readonly reason: string;
  readonly message: string;
}

/** Everything that a decision needs of the cluster. */
interface ClusterView {
  readonly nodes: readonly ClusterNode[];
  readonly services: readonly ClusterService[];
  readonly kubernetesEndpoints: readonly string[];
  /** kubeadm's, as text. */
  readonly clusterConfiguration: string;
}

/**
 * One connection, for a whole run. Each request is bounded to 10 s, and none is repeated here: what is worth another try
 * says so (`ClusterFailure.retryable`), and every call may be made again.
 * @throws ClusterFailure from every call
 */
export interface KubeletRequestsApi {
  /** Of all signers. */
  names(): Promise<readonly string[]>;
  /** One at a time, as each may be large. undefined: there is none */
  read(name: string): Promise<FoundRequest | UnreadableRequest | undefined>;
  /** All of it, or a failure. */
  view(): Promise<ClusterView>;
  /**
   * Decides about exactly what was read. `changed`: it is not that any more (it may be gone), and nothing was decided.
   */
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
  // What `use` throws is its own affair, and no answer of the API server's.
  const outcome = await withApi(access, signal, async (ask) => {
    try {
      return { value: await use(apiOver(ask)) };
    } catch (error) {
      return { error };
    }
  });
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

function apiOver(ask: Ask): KubeletRequestsApi {
  return {
    names: () => readRequestNames(ask),
    read: (name) => read(ask, name),
    view: async () => ({
      nodes: await readNodes(ask),
      services: await readServices(ask),
      kubernetesEndpoints: await readKubernetesEndpoints(ask),
      clusterConfiguration: await ask(clusterConfigurationOf),
    }),
    decide: (found, decision) => decide(ask, found, decision),
  };
}

/** A kubelet's has some kilobytes, its certificate included. What is larger need not be read to be refused. */
const mostBytes = 256 * 1024;

async function read(ask: Ask, name: string): Promise<FoundRequest | UnreadableRequest | undefined> {
  let answer: unknown;
  try {
    answer = await ask(
      (configuration) => new CertificatesV1Api(configuration).readCertificateSigningRequest({ name }),
      { mostBytes },
    );
  } catch (error) {
    if (isNotFound(error, name)) return undefined;
    if (!isTooLarge(error)) throw error;
    const sentence = `the ${requestKind} ${name} is larger than ${String(mostBytes / 1024)} KiB`;
    return { name, error: new ClusterFailure(sentence, { retryable: false }, { cause: error }) };
  }
  try {
    return foundIn(answer, name);
  } catch (error) {
    if (error instanceof ClusterFailure) return { name, error };
    throw error;
  }
}

async function decide(
  ask: Ask,
  { request: { name }, uid, object: { kept } }: FoundRequest,
  { type, reason, message }: RequestDecision,
): Promise<'decided' | 'changed'> {
  const conditions = [...(kept.status?.conditions ?? []), { type, status: 'True', reason, message }];
  const status = Object.assign(new V1CertificateSigningRequestStatus(), kept.status, { conditions });
  // With its uid and its resourceVersion: the API server refuses it if anything has changed.
  const body = Object.assign(new V1CertificateSigningRequest(), kept, { status });
  try {
    return await ask(async (configuration): Promise<'decided'> => {
      const api = new CertificatesV1Api(configuration);
      const answer = foundIn(await api.replaceCertificateSigningRequestApproval({ name, body }), name);
      if (answer.uid === uid && answer.request.conditions.includes(type)) return 'decided';
      throw new ClusterFailure(
        `the API server took the decision about ${name}, and it is not ${type.toLowerCase()}`,
        { retryable: false },
      );
    });
  } catch (error) {
    if (answered(error) === 409 || isNotFound(error, name)) return 'changed';
    throw error;
  }
}

const requestKind = 'CertificateSigningRequest';

function foundIn(answer: unknown, name: string): FoundRequest {
  const object = requestObjectIn(answer, name);
  const { metadata, spec: given } = partsOf(answer);
  const { uid, creationTimestamp: created } = partsOf(metadata);
  const { username, groups } = partsOf(given);
  const not = (why: string): never => {
    throw notList(requestKind, why);
  };
  const { spec, conditions, certificate } = object;
  return {
    object,
    uid: typeof uid === 'string' && uid !== '' ? uid : not('it has no uid'),
    request: {
      name,
      createdAt: created instanceof Date && !Number.isNaN(created.getTime()) ? created : undefined,
      ...spec,
      username:
        username === undefined || typeof username === 'string'
          ? (username ?? '')
          : not('its user is not a text'),
      groups: textsIn(groups) ?? not('the groups of its user are no list of texts'),
      conditions: conditions.map(({ type }) => type),
      issued: certificate !== undefined,
    },
  };
}

function textsIn(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;
}
