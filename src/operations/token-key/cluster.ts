import type { Asked } from '../verification/cluster/cluster.ts';

/** What the cluster says of the keys of tokens. No token is in it. */
export interface TokenCluster {
  readonly apiServers: Asked<readonly TokenApiServer[]>;
  readonly controllerManagers: Asked<readonly ControllerManager[]>;
  /** The Secrets of the type `kubernetes.io/service-account-token`, whose tokens never end. */
  readonly secrets: Asked<readonly TokenSecret[]>;
}

export interface TokenApiServer {
  readonly host: string;
  readonly port: number;
  /** The ids of the keys by which it judges tokens: of all that it has read at its start. */
  readonly known: Asked<readonly string[]>;
  /** The id of the key it signs with, in a token that is for nobody and was thrown away. */
  readonly signing: Asked<string>;
  readonly metrics: Asked<TokenMetrics>;
}

export interface TokenMetrics {
  /** How often since its start it has been shown a token that should have been replaced by a newer one; undefined: it does not count. */
  readonly staleTokens: number | undefined;
  readonly startedAt: Date | undefined;
}

/** The kube-controller-manager of a node, with the API server beside it; undefined: it does not run. */
export interface ControllerManager {
  readonly node: string;
  /** The address of the node; undefined: the cluster does not say. */
  readonly host: string | undefined;
  readonly startedAt: Date | undefined;
  readonly apiServerStartedAt: Date | undefined;
}

export interface TokenSecret {
  readonly namespace: string;
  readonly name: string;
  /** undefined: it holds no token that says so. */
  readonly keyId: string | undefined;
}
