import type { CaName, Component } from '../../catalog/catalog.ts';
import type { RotationPlan, Stage } from './plan.ts';

/**
 * What one node knows of a rotation: of its files, of what runs on it, and of the cluster as it sees it. Each node measures itself, as no
 * other can see its disk and what listens on its loopback; `ca status -o json` is how the others learn of it.
 */
export interface NodeStatus {
  readonly node: string;
  readonly role: 'control-plane' | 'worker';
  /** When it was measured. */
  readonly at: Date;
  /** undefined: this node knows of no rotation. */
  readonly rotation: RotationPlan | undefined;
  /** Of each CA of the rotation, the stage of its files here. */
  readonly authorities: readonly AuthorityStatus[];
  readonly running: Measured<readonly RunningStatus[]>;
  readonly servers: Measured<readonly ServerStatus[]>;
  readonly cluster: Measured<ClusterStatus>;
}

/** `why`: in a few words, without a period. */
export type Measured<T> =
  | { readonly status: 'measured'; readonly value: T }
  | { readonly status: 'unmeasured'; readonly why: string };

export interface AuthorityStatus {
  readonly name: CaName;
  /** `at`: all files are right from the first stage to the last; `between`: some are at the first still, others at the last. */
  readonly reached: 'at' | 'between' | 'unclear';
  readonly first: Stage;
  readonly last: Stage;
  /** Host paths of what is behind, or belongs to no stage, and what each holds. */
  readonly files: readonly { readonly path: string; readonly holds: string }[];
}

/** A process that reads a CA when it starts, and never again. */
export interface RunningStatus {
  readonly process: Component | 'kubelet';
  /** Files that have changed since it was started; none: it uses what is on disk. */
  readonly stale: readonly string[];
}

/** A server of this node, as a client of each of the two CAs finds it. */
export interface ServerStatus {
  /** `kube-apiserver`, `etcd`, `etcd (peers)`, `kubelet` */
  readonly name: string;
  readonly address: string;
  readonly authority: CaName;
  /** `self`: a certificate that it has made itself, as kubelets do; `none`: nothing is shown that this CA signs. */
  readonly serves: 'old' | 'next' | 'next-with-cross' | 'self' | 'none' | 'other' | 'unknown';
  /** Whether it takes a client certificate of the CA. */
  readonly acceptsOld: Answer;
  readonly acceptsNext: Answer;
  /** Why something is unknown, in a few words. */
  readonly why: string | undefined;
}

export type Answer = 'yes' | 'no' | 'unknown';

/** What the API server says. Each part by itself may not be known. */
export interface ClusterStatus {
  readonly nodes: Measured<readonly ClusterNode[]>;
  /** The ConfigMaps `kube-root-ca.crt`, by which pods know the API server. */
  readonly rootCas: Measured<readonly Published[]>;
  /** `client-ca-file` and `requestheader-client-ca-file` of `extension-apiserver-authentication`. */
  readonly clientCas: Measured<Published>;
  readonly headerCas: Measured<Published>;
  /** The kubeconfig in `cluster-info`, by which nodes join. */
  readonly clusterInfo: Measured<Published>;
  /** Names of the APIServices that are not available. */
  readonly unavailable: Measured<readonly string[]>;
  /** Which CA signs a request now. */
  readonly signer: Measured<'old' | 'next' | 'other'>;
  /** The controllers of pods that may know the old CA alone, as `NAMESPACE/deployment/NAME`; of a pod without one itself. */
  readonly oldPods: Measured<readonly string[]>;
}

export interface ClusterNode {
  readonly name: string;
  readonly isControlPlane: boolean;
  readonly isReady: boolean;
}

/** Where CAs are published, and which of the two are there. */
export interface Published {
  /** A namespace, or the name of the ConfigMap. */
  readonly where: string;
  readonly hasOld: boolean;
  readonly hasNext: boolean;
}
