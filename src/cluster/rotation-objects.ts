import * as z from 'zod';
import type { Ask } from './api.ts';
import { listOf, text } from './expected.ts';
import { listAll, pageOf } from './list-all.ts';

const apiService = z
  .object({
    metadata: z.object({ name: text }),
    status: z.object({ conditions: listOf(z.object({ type: z.string(), status: z.string() })) }).nullish(),
  })
  .transform(({ metadata: { name }, status }) => ({
    name,
    isAvailable: (status?.conditions ?? []).some(
      ({ type, status: is }) => type === 'Available' && is === 'True',
    ),
  }));

/** The names of those that do not answer: the API server asks them by the front proxy's certificate. @throws ClusterFailure */
export async function readUnavailableApis(ask: Ask): Promise<readonly string[]> {
  const all = await listAll(ask, {
    path: '/apis/apiregistration.k8s.io/v1/apiservices',
    answer: pageOf('APIServiceList', apiService),
  });
  return all.filter(({ isAvailable }) => !isAvailable).map(({ name }) => name);
}

const configMap = z.looseObject({
  kind: z.literal('ConfigMap'),
  metadata: z.looseObject({ resourceVersion: text }),
  data: z.record(z.string(), z.string()).nullish(),
});

const clusterInfoPath = '/api/v1/namespaces/kube-public/configmaps/cluster-info';

/**
 * Changes the kubeconfig of `cluster-info`, unless it was changed meanwhile.
 * @param change undefined: it stays
 * @returns whether it was changed
 * @throws ClusterFailure
 */
export async function changeClusterInfo(
  ask: Ask,
  change: (text: string) => string | undefined,
): Promise<boolean> {
  const answer = { what: 'the ConfigMap cluster-info', schema: configMap };
  const found = await ask({ path: clusterInfoPath, answer });
  const text = found.data?.['kubeconfig'];
  const next = text === undefined ? undefined : change(text);
  if (next === undefined) return false;
  // The resourceVersion goes with it: what was changed meanwhile is a conflict.
  await ask({
    method: 'PUT',
    path: clusterInfoPath,
    body: { ...found, data: { ...found.data, kubeconfig: next } },
    answer,
  });
  return true;
}

/**
 * Has the API servers make `extension-apiserver-authentication` anew: they only ever add CAs to it (Kubernetes, pkg/controlplane/controller/
 * clusterauthenticationtrust).
 * @throws ClusterFailure
 */
export async function removeClientCas(ask: Ask): Promise<void> {
  await ask({
    method: 'DELETE',
    path: '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication',
    answer: { what: 'the ConfigMap extension-apiserver-authentication', schema: z.unknown() },
  });
}
