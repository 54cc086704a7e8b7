import type { KubeletRequestsApi } from '../cluster/kubelet-requests.ts';
import { KubepkiError } from '../errors/error.ts';
import type { Surroundings } from '../operations/kubelet-serving/surroundings.ts';

/** kubeadm's default. */
const defaultDomain = 'cluster.local';

/**
 * What the cluster says of names and addresses: all that a decision needs, or an error before there is one.
 * @throws KubepkiError cluster, bad-config
 */
export async function lookAround(api: KubeletRequestsApi): Promise<Surroundings> {
  const { clusterConfiguration, ...view } = await api.view();
  const { parseNodeNaming } = await import('../config/node-naming.ts');
  try {
    const { controlPlaneEndpoint, dnsDomain = defaultDomain } = parseNodeNaming(clusterConfiguration);
    return { ...view, controlPlaneEndpoint: controlPlaneEndpoint?.host, dnsDomain };
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    throw new KubepkiError(error.code, `the cluster's kubeadm-config: ${error.message}`, {
      hint: 'correct it: kubectl -n kube-system edit configmap kubeadm-config',
      cause: error,
    });
  }
}
