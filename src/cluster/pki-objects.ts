import * as z from 'zod';
import type {
  ClientCas,
  KubeletRequest,
  Namespace,
  PublishedCa,
  RoleBinding,
} from '../operations/verification/cluster/cluster.ts';
import type { Ask } from './api.ts';
import { arrayOf, isAddress, listOf, text } from './expected.ts';
import { listAll, pageOf } from './list-all.ts';
import { requestsPath } from './request-object.ts';

/** Of a time that cannot be read nothing is known. */
const time = z
  .string()
  .nullish()
  .catch(undefined)
  .transform((given) => {
    const date = new Date(given ?? '');
    return Number.isNaN(date.getTime()) ? undefined : date;
  });

const namespace = z
  .object({
    metadata: z.object({ name: text, creationTimestamp: time, deletionTimestamp: z.unknown().optional() }),
  })
  .transform(({ metadata: { name, creationTimestamp, deletionTimestamp } }): Namespace => ({
    name,
    createdAt: creationTimestamp,
    isEnding: deletionTimestamp !== undefined && deletionTimestamp !== null,
  }));

/** @throws ClusterFailure, as each of these */
export function readNamespaces(ask: Ask): Promise<readonly Namespace[]> {
  return listAll(ask, { path: '/api/v1/namespaces', answer: pageOf('NamespaceList', namespace) });
}

const rootCaName = 'kube-root-ca.crt';

const rootCa = z
  .object({
    metadata: z.object({ namespace: text, name: text }),
    data: z.object({ 'ca.crt': z.string().optional() }).nullish(),
  })
  .transform(({ metadata, data }) => ({ ...metadata, pem: data?.['ca.crt'] }));

/** The CA that pods are given, of all namespaces. */
export async function readRootCas(ask: Ask): Promise<readonly PublishedCa[]> {
  const found = await listAll(ask, {
    path: '/api/v1/configmaps',
    query: { fieldSelector: `metadata.name=${rootCaName}` },
    answer: pageOf('ConfigMapList', rootCa),
  });
  return found.flatMap(({ namespace: of, name, pem }) =>
    name === rootCaName ? [{ namespace: of, pem }] : [],
  );
}

export const clusterInfoName = 'cluster-info';

/** @returns undefined: it holds no kubeconfig */
export async function readClusterInfoText(ask: Ask): Promise<string | undefined> {
  const schema = z.object({
    kind: z.literal('ConfigMap'),
    data: z.object({ kubeconfig: z.string().optional() }).nullish(),
  });
  const { data } = await ask({
    path: `/api/v1/namespaces/kube-public/configmaps/${clusterInfoName}`,
    answer: { what: `the ConfigMap ${clusterInfoName}`, schema },
  });
  return data?.kubeconfig;
}

export const authenticationName = 'extension-apiserver-authentication';

export async function readClientCas(ask: Ask): Promise<ClientCas> {
  const file = z.string().optional();
  const schema = z.object({
    kind: z.literal('ConfigMap'),
    data: z.object({ 'client-ca-file': file, 'requestheader-client-ca-file': file }).nullish(),
  });
  const { data } = await ask({
    path: `/api/v1/namespaces/kube-system/configmaps/${authenticationName}`,
    answer: { what: `the ConfigMap ${authenticationName}`, schema },
  });
  return {
    clientCas: data?.['client-ca-file'],
    requestHeaderCas: data?.['requestheader-client-ca-file'],
  };
}

const signerNames = ['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet'];

const request = z
  .object({
    metadata: z.object({ name: text, creationTimestamp: time }),
    spec: z.object({ signerName: text, username: z.string().optional() }),
    status: z.object({ conditions: listOf(z.object({ type: z.string() })) }).nullish(),
  })
  .transform(({ metadata, spec, status }): KubeletRequest => {
    const conditions = (status?.conditions ?? []).map(({ type }) => type);
    return {
      name: metadata.name,
      createdAt: metadata.creationTimestamp,
      signerName: spec.signerName,
      username: spec.username ?? '',
      state: conditions.some((type) => type === 'Denied' || type === 'Failed')
        ? 'refused'
        : conditions.includes('Approved')
          ? 'approved'
          : 'pending',
    };
  });

/** The requests of kubelets; other signers' may be many, and large. */
export async function readKubeletRequests(ask: Ask): Promise<readonly KubeletRequest[]> {
  const found = await Promise.all(
    signerNames.map((name) =>
      listAll(ask, {
        path: requestsPath,
        query: { fieldSelector: `spec.signerName=${name}` },
        answer: pageOf('CertificateSigningRequestList', request),
      }).then((requests) => requests.filter(({ signerName }) => signerName === name)),
    ),
  );
  return found.flat();
}

const binding = z
  .object({
    metadata: z.object({ name: text }),
    roleRef: z.object({ name: text }),
    subjects: listOf(z.object({ kind: text, name: text })),
  })
  .transform(({ metadata, roleRef, subjects }): RoleBinding => ({
    name: metadata.name,
    role: roleRef.name,
    subjects,
  }));

export function readRoleBindings(ask: Ask): Promise<readonly RoleBinding[]> {
  return listAll(ask, {
    path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    answer: pageOf('ClusterRoleBindingList', binding),
  });
}

/** A Node, as far as its servers can be found by it. */
export interface ServingNode {
  readonly name: string;
  readonly isControlPlane: boolean;
  readonly isReady: boolean;
  /** Addresses inside the cluster. */
  readonly addresses: readonly string[];
  readonly kubeletPort: number;
}

const labels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

const servingNode = z
  .object({
    metadata: z.object({ name: text, labels: z.record(z.string(), z.unknown()).nullish() }),
    status: z
      .object({
        addresses: listOf(z.object({ type: text, address: text })),
        conditions: listOf(z.object({ type: z.string(), status: z.string() })),
        daemonEndpoints: z
          .object({ kubeletEndpoint: z.object({ Port: z.int().min(0).max(65_535).optional() }).nullish() })
          .nullish(),
      })
      .nullish(),
  })
  .transform(({ metadata, status }): ServingNode => {
    const known = metadata.labels ?? {};
    const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
    return {
      name: metadata.name,
      isControlPlane: labels.some((label) => Object.hasOwn(known, label)),
      isReady: (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True'),
      addresses: (status?.addresses ?? []).flatMap(({ type, address }) =>
        type === 'InternalIP' && isAddress(address) ? [address] : [],
      ),
      // Go writes 0 for a port that was never set.
      kubeletPort: port === undefined || port === 0 ? 10_250 : port,
    };
  });

export function readServingNodes(ask: Ask): Promise<readonly ServingNode[]> {
  return listAll(ask, { path: '/api/v1/nodes', answer: pageOf('NodeList', servingNode) });
}

/** The ids of the keys by which the API server that answers judges tokens. */
export async function readTokenKeyIds(ask: Ask): Promise<readonly string[]> {
  const schema = z.object({ keys: arrayOf(z.object({ kid: text })) });
  const { keys } = await ask({
    path: '/openid/v1/jwks',
    // To any other form, JSON among them, an API server answers 406.
    accept: 'application/jwk-set+json',
    answer: { what: 'a JSON Web Key Set', schema },
    mostBytes: 256 * 1024,
  });
  return keys.map(({ kid }) => kid);
}
