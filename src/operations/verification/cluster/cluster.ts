import type { KubeadmConfig } from '../../../config/kubeadm-config.ts';
import type { NodeNaming } from '../../../config/node-naming.ts';
import type { Chain } from '../../../pki/certificate/certificate.ts';

/** What became of a question. Each is asked by itself: one that is refused spoils no other. */
export type Asked<T> =
  | { readonly status: 'answered'; readonly value: T }
  /** The API server has no such thing. */
  | { readonly status: 'absent' }
  /** Nothing is known of it. */
  | { readonly status: 'unasked'; readonly why: string; readonly hint: string | undefined };

/** What the cluster says of its PKI. Names and texts are the API server's: they may be anything. */
export interface Cluster {
  /** Host path of the kubeconfig by which it was asked. */
  readonly kubeconfig: string;
  readonly namespaces: Asked<readonly Namespace[]>;
  readonly rootCas: Asked<readonly PublishedCa[]>;
  /** The kubeconfig in the ConfigMap `cluster-info`; undefined: it holds none. */
  readonly clusterInfo: Asked<string | undefined>;
  readonly authentication: Asked<ClientCas>;
  readonly configuration: Asked<ClusterConfig>;
  readonly apiServers: Asked<readonly ApiServer[]>;
  readonly kubelets: Asked<readonly Kubelet[]>;
  readonly requests: Asked<readonly KubeletRequest[]>;
  readonly bindings: Asked<readonly RoleBinding[]>;
}

export interface Namespace {
  readonly name: string;
  /** undefined: the API server did not say. */
  readonly createdAt: Date | undefined;
  readonly isEnding: boolean;
}

/** A ConfigMap `kube-root-ca.crt`. */
export interface PublishedCa {
  readonly namespace: string;
  /** PEM; undefined: it holds none. */
  readonly pem: string | undefined;
}

/** The ConfigMap `extension-apiserver-authentication`: PEM; undefined: it holds none. */
export interface ClientCas {
  readonly clientCas: string | undefined;
  readonly requestHeaderCas: string | undefined;
}

/** The ConfigMap `kubeadm-config`. */
export interface ClusterConfig {
  readonly config: KubeadmConfig;
  readonly naming: NodeNaming;
  /** Its certificatesDir, where that is another directory than the one that is looked at. */
  readonly otherCertDir: string | undefined;
}

/** What a server shows in a TLS handshake. */
export type Shown =
  | { readonly status: 'shown'; readonly chain: Chain }
  | { readonly status: 'silent'; readonly why: string }
  /** The time for the whole cluster was over before. */
  | { readonly status: 'late' };

export interface ApiServer {
  readonly host: string;
  readonly port: number;
  readonly shown: Shown;
  /** The ids of the keys by which it judges tokens. */
  readonly tokenKeys: Asked<readonly string[]>;
}

export interface Kubelet {
  readonly node: string;
  readonly isReady: boolean;
  readonly shown: Shown;
}

/** A CertificateSigningRequest of a kubelet's. */
export interface KubeletRequest {
  readonly name: string;
  /** undefined: the API server did not say. */
  readonly createdAt: Date | undefined;
  readonly signerName: string;
  readonly username: string;
  readonly state: 'pending' | 'approved' | 'refused';
}

/** A ClusterRoleBinding. */
export interface RoleBinding {
  readonly name: string;
  readonly role: string;
  readonly subjects: readonly { readonly kind: string; readonly name: string }[];
}
