import { CoreV1Api } from '@kubernetes/client-node';
import { KubepkiError } from '../errors/error.ts';
import type { ApiAccess } from './access.ts';
import { withApi, type ApiConfiguration } from './api.ts';

/**
 * The ClusterConfiguration that kubeadm has left in the cluster, as text.
 * @param signal bounds all of it
 * @throws KubepkiError cluster
 */
export async function readKubeadmConfigMap(access: ApiAccess, signal: AbortSignal): Promise<string> {
  return withApi(access, signal, (ask) => ask(clusterConfigurationOf));
}

/**
 * The same over a connection that is there.
 * @throws KubepkiError cluster for a ConfigMap without it
 */
export async function clusterConfigurationOf(configuration: ApiConfiguration): Promise<string> {
  const answer: unknown = await new CoreV1Api(configuration).readNamespacedConfigMap({
    name: 'kubeadm-config',
    namespace: 'kube-system',
  });
  const text = clusterConfigurationIn(answer);
  if (text !== undefined) return text;
  throw new KubepkiError('cluster', 'the ConfigMap kubeadm-config has no ClusterConfiguration', {
    hint: 'upload it again: kubeadm init phase upload-config kubeadm --config your-config-file',
  });
}

/**
 * The client believes whatever it is told.
 * @throws TypeError for what is no ConfigMap
 */
function clusterConfigurationIn(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('kind' in answer) || answer.kind !== 'ConfigMap') {
    throw new TypeError('not a ConfigMap');
  }
  const data = 'data' in answer ? answer.data : undefined;
  if (typeof data !== 'object' || data === null || !('ClusterConfiguration' in data)) return undefined;
  const { ClusterConfiguration: text } = data;
  return typeof text === 'string' && text !== '' ? text : undefined;
}
