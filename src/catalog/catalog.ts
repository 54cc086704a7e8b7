/**
 * What kubeadm manages, said once. The renew arguments, the table rows, the help and the tests loop over this table.
 * Names, files and sentences are kubeadm's (cmd/kubeadm/app/phases/certs and phases/certs/renewal).
 */

export type CaName = 'ca' | 'etcd-ca' | 'front-proxy-ca';

/** The control-plane component that must be restarted before it uses a new certificate. */
export type Component = 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'etcd';

export interface CaSpec {
  readonly kind: 'ca';
  readonly name: CaName;
  /** Path below the cert dir without extension; what kubeadm prints in "Detected external …". */
  readonly baseName: string;
  readonly longName: string;
  /** Belongs to a stacked etcd: left out when the configuration has an external one. */
  readonly stackedEtcd: boolean;
}

export interface LeafSpec {
  readonly kind: 'leaf';
  readonly name: string;
  readonly baseName: string;
  readonly longName: string;
  readonly caName: CaName;
  readonly components: readonly Component[];
  readonly stackedEtcd: boolean;
}

export interface KubeconfigSpec {
  readonly kind: 'kubeconfig';
  /** Also the file's name in the kubeconfig dir. */
  readonly name: string;
  readonly longName: string;
  readonly caName: 'ca';
  readonly components: readonly Component[];
  /** Only on the node where `kubeadm init` ran (since 1.29): its absence is normal, so it is never a "missing" row. */
  readonly optional: boolean;
  readonly stackedEtcd: false;
}

export type CertificateSpec = LeafSpec | KubeconfigSpec;

export const certificateAuthorities: readonly CaSpec[] = [
  {
    kind: 'ca',
    name: 'ca',
    baseName: 'ca',
    longName: 'self-signed Kubernetes CA to provision identities for other Kubernetes components',
    stackedEtcd: false,
  },
  {
    kind: 'ca',
    name: 'etcd-ca',
    baseName: 'etcd/ca',
    longName: 'self-signed CA to provision identities for etcd',
    stackedEtcd: true,
  },
  {
    kind: 'ca',
    name: 'front-proxy-ca',
    baseName: 'front-proxy-ca',
    longName: 'self-signed CA to provision identities for front proxy',
    stackedEtcd: false,
  },
];

/** In kubeadm's order: bytewise by name. */
export const certificates: readonly CertificateSpec[] = [
  {
    kind: 'kubeconfig',
    name: 'admin.conf',
    longName: 'certificate embedded in the kubeconfig file for the admin to use and for kubeadm itself',
    caName: 'ca',
    components: [],
    optional: false,
    stackedEtcd: false,
  },
  {
    kind: 'leaf',
    name: 'apiserver',
    baseName: 'apiserver',
    longName: 'certificate for serving the Kubernetes API',
    caName: 'ca',
    components: ['kube-apiserver'],
    stackedEtcd: false,
  },
  {
    kind: 'leaf',
    name: 'apiserver-etcd-client',
    baseName: 'apiserver-etcd-client',
    longName: 'certificate the apiserver uses to access etcd',
    caName: 'etcd-ca',
    components: ['kube-apiserver'],
    stackedEtcd: true,
  },
  {
    kind: 'leaf',
    name: 'apiserver-kubelet-client',
    baseName: 'apiserver-kubelet-client',
    longName: 'certificate for the API server to connect to kubelet',
    caName: 'ca',
    components: ['kube-apiserver'],
    stackedEtcd: false,
  },
  {
    kind: 'kubeconfig',
    name: 'controller-manager.conf',
    longName: 'certificate embedded in the kubeconfig file for the controller manager to use',
    caName: 'ca',
    components: ['kube-controller-manager'],
    optional: false,
    stackedEtcd: false,
  },
  {
    kind: 'leaf',
    name: 'etcd-healthcheck-client',
    baseName: 'etcd/healthcheck-client',
    longName: 'certificate for liveness probes to healthcheck etcd',
    caName: 'etcd-ca',
    components: ['etcd'],
    stackedEtcd: true,
  },
  {
    kind: 'leaf',
    name: 'etcd-peer',
    baseName: 'etcd/peer',
    longName: 'certificate for etcd nodes to communicate with each other',
    caName: 'etcd-ca',
    components: ['etcd'],
    stackedEtcd: true,
  },
  {
    kind: 'leaf',
    name: 'etcd-server',
    baseName: 'etcd/server',
    longName: 'certificate for serving etcd',
    caName: 'etcd-ca',
    components: ['etcd'],
    stackedEtcd: true,
  },
  {
    kind: 'leaf',
    name: 'front-proxy-client',
    baseName: 'front-proxy-client',
    longName: 'certificate for the front proxy client',
    caName: 'front-proxy-ca',
    components: ['kube-apiserver'],
    stackedEtcd: false,
  },
  {
    kind: 'kubeconfig',
    name: 'scheduler.conf',
    // "the scheduler manager" is kubeadm's own wording.
    longName: 'certificate embedded in the kubeconfig file for the scheduler manager to use',
    caName: 'ca',
    components: ['kube-scheduler'],
    optional: false,
    stackedEtcd: false,
  },
  {
    kind: 'kubeconfig',
    name: 'super-admin.conf',
    longName: 'certificate embedded in the kubeconfig file for the super-admin',
    caName: 'ca',
    components: [],
    optional: true,
    stackedEtcd: false,
  },
];

/** The table's row for a CA; the type guarantees there is one. */
export function certificateAuthority(name: CaName): CaSpec {
  const spec = certificateAuthorities.find((ca) => ca.name === name);
  if (spec === undefined) throw new TypeError(`no certificate authority ${name} in the catalog`);
  return spec;
}
