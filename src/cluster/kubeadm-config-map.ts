import * as z from 'zod';
import { KubepkiError } from '../errors/error.ts';
import type { ApiAccess } from './connection.ts';
import { withApi, type Ask } from './api.ts';

/**
 * The ClusterConfiguration that kubeadm has left in the cluster, as text.
 * @param signal bounds all of it
 * @throws KubepkiError cluster
 */
export async function readKubeadmConfigMap(access: ApiAccess, signal: AbortSignal): Promise<string> {
  return withApi(access, signal, readClusterConfiguration);
}

const configMap = z.object({
  kind: z.literal('ConfigMap'),
  data: z.object({ ClusterConfiguration: z.string().optional() }).nullish(),
});

/**
 * As {@link readKubeadmConfigMap}, over a connection that is there.
 * @throws KubepkiError cluster, also for a ConfigMap without it
 */
export async function readClusterConfiguration(ask: Ask): Promise<string> {
  const { data } = await ask({
    path: '/api/v1/namespaces/kube-system/configmaps/kubeadm-config',
    answer: { what: 'the ConfigMap kubeadm-config', schema: configMap },
  });
  const text = data?.ClusterConfiguration ?? '';
  if (text !== '') return text;
  throw new KubepkiError('cluster', 'the ConfigMap kubeadm-config has no ClusterConfiguration', {
    hint: 'upload it again: kubeadm init phase upload-config kubeadm --config your-config-file',
  });
}
