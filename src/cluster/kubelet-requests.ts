import {
  CertificatesV1Api,
  V1CertificateSigningRequest,
  V1CertificateSigningRequestStatus,
} from '@kubernetes/client-node';
import type { SigningRequest } from '../operations/kubelet-serving/signing-request.ts';
import type { ClusterNode, ClusterService } from '../operations/kubelet-serving/surroundings.ts';
import type { ApiAccess } from './access.ts';
import { answered, isNotFound } from './answered.ts';
import { withApi, type Ask } from './api.ts';
import { ClusterFailure } from './cluster-failure.ts';
import { clusterConfigurationOf } from './kubeadm-config-map.ts';
import { listAll, notList, partsOf } from './list-all.ts';
import { requestObjectIn, type RequestObject } from './request-object.ts';
import { readKubernetesEndpoints, readNodes, readServices } from './surroundings.ts';

/** A CertificateSigningRequest as it was read: what is judged, and what an answer to it is sent back with. */
export interface FoundRequest {
  readonly request: SigningRequest;
  readonly uid: string;
  readonly object: RequestObject;
}

/** An object of the list that the API server cannot have meant: the others are read all the same. */
export interface UnreadableRequest {
  readonly name: string;
  readonly error: ClusterFailure;
}

export interface ListedRequests {
  readonly found: readonly FoundRequest[];
  readonly unreadable: readonly UnreadableRequest[];
}

export interface RequestDecision {
  readonly type: 'Approved' | 'Denied';
  /** For programs, a CamelCase word; and for people. */
  readonly reason: string;
  readonly message: string;
}

/** Everything that a decision needs of the cluster. */
export interface ClusterView {
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
  list(): Promise<ListedRequests>;
  /** undefined: there is none */
  read(name: string): Promise<FoundRequest | undefined>;
  /** All of it, or a failure. */
  view(): Promise<ClusterView>;
  /**
   * Decides about exactly what was read. `changed`: it is not that any more (it may be gone), and nothing was decided.
   */
  decide(found: FoundRequest, decision: RequestDecision): Promise<'decided' | 'changed'>;
}

/**
 * @param signal bounds all of it
 * @throws KubepkiError cluster, or whatever `use` throws
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
    list: () => list(ask),
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

async function list(ask: Ask): Promise<ListedRequests> {
  const all = await listAll(ask, {
    kind: `${requestKind}List`,
    page: (configuration, page) => new CertificatesV1Api(configuration).listCertificateSigningRequest(page),
    parse: listedIn,
  });
  return {
    found: all.flatMap((one) => ('error' in one ? [] : [one])),
    unreadable: all.flatMap((one) => ('error' in one ? [one] : [])),
  };
}

async function read(ask: Ask, name: string): Promise<FoundRequest | undefined> {
  try {
    return await ask(async (configuration) =>
      foundIn(await new CertificatesV1Api(configuration).readCertificateSigningRequest({ name }), name),
    );
  } catch (error) {
    if (isNotFound(error, name)) return undefined;
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

/** Items do not say their kind: their list does. */
function listedIn(item: unknown): FoundRequest | UnreadableRequest {
  const { name } = partsOf(partsOf(item)['metadata']);
  if (typeof name !== 'string' || name === '') throw notList(`${requestKind}List`, 'one has no name');
  const object = Object.assign(new V1CertificateSigningRequest(), item, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: requestKind,
  });
  try {
    return foundIn(object, name);
  } catch (error) {
    if (error instanceof ClusterFailure) return { name, error };
    throw error;
  }
}

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
