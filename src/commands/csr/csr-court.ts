import type { KubeletRequestsApi } from '../../cluster/kubelet-requests.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { ControlPlaneEndpoint, Surroundings } from '../../operations/kubelet-serving/surroundings.ts';
import { isUnusable, unusableClusterConfig } from '../../node/ask-cluster.ts';

/** kubeadm's default. */
const defaultDomain = 'cluster.local';

const lookUpMs = 5000;

/**
 * What the cluster says of names and addresses: all that a decision needs, or an error before there is one.
 * @throws KubepkiError cluster, bad-config, unsupported-config
 */
export async function lookAround(api: KubeletRequestsApi): Promise<Surroundings> {
  const { clusterConfiguration, ...view } = await api.view();
  const { parseNodeNaming } = await import('../../config/node-naming.ts');
  let naming: ReturnType<typeof parseNodeNaming>;
  try {
    naming = parseNodeNaming(clusterConfiguration);
  } catch (error) {
    throw error instanceof KubepkiError && isUnusable(error) ? unusableClusterConfig(error) : error;
  }
  const { controlPlaneEndpoint, dnsDomain = defaultDomain } = naming;
  const endpoint = controlPlaneEndpoint && (await lookUp(controlPlaneEndpoint.host));
  return { ...view, controlPlaneEndpoint: endpoint, dnsDomain };
}

/**
 * A load balancer's address is nobody's but the control plane's, and only its name is in the configuration.
 * @throws KubepkiError cluster
 */
async function lookUp(host: string): Promise<ControlPlaneEndpoint> {
  const { addressesOf } = await import('../../cluster/connection.ts');
  try {
    const found = await addressesOf(host, AbortSignal.timeout(lookUpMs));
    return { host, addresses: found.map(({ address }) => address) };
  } catch (cause) {
    if (!(cause instanceof KubepkiError)) throw cause;
    throw new KubepkiError(
      'cluster',
      `the controlPlaneEndpoint ${host} has no address here, so that nobody can say which are the control plane's`,
      { hint: `run it where it can be looked up: getent ahosts ${host}`, cause },
    );
  }
}
