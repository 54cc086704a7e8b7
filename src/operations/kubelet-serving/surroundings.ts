/**
 * What the cluster says of who has which name and address. Every list is needed: a decision without one of them would
 * not be one, so that a list which cannot be read is an error before it comes to a decision, not an empty list.
 */
export interface Surroundings {
  /** All of them. */
  readonly nodes: readonly ClusterNode[];
  /** All of them, of all namespaces. */
  readonly services: readonly ClusterService[];
  /** The addresses in the EndpointSlices of the Service `kubernetes` in `default`. */
  readonly kubernetesEndpoints: readonly string[];
  /** undefined: the cluster has none. */
  readonly controlPlaneEndpoint: ControlPlaneEndpoint | undefined;
  /** Such as `cluster.local`. */
  readonly dnsDomain: string;
}

export interface ControlPlaneEndpoint {
  /** A name or an address, without the port. */
  readonly host: string;
  /** The addresses that the host name leads to. */
  readonly addresses: readonly string[];
}

export interface ClusterNode {
  readonly name: string;
  /** `status.addresses` */
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
}

export interface ClusterService {
  readonly namespace: string;
  readonly name: string;
  /** `spec.clusterIPs`; `None` of a headless one may be in it. */
  readonly clusterIPs: readonly string[];
  readonly externalIPs: readonly string[];
  /** IPs and host names of `status.loadBalancer.ingress`, and `spec.loadBalancerIP`. */
  readonly loadBalancers: readonly string[];
}
