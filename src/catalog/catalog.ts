/**
 * What kubeadm manages, said once. The renew arguments, the table rows, the help and the tests loop over this table.
 * Names, files and sentences are kubeadm's (cmd/kubeadm/app/phases/certs and phases/certs/renewal).
 */

export type CaName = 'ca' | 'etcd-ca' | 'front-proxy-ca';

/** The control-plane component that must be restarted before it uses a new certificate. */
export type Component = (typeof components)[number];

const components = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'] as const;

export function isComponent(name: string): name is Component {
  return components.some((component) => component === name);
}

/** The subject for which kubeadm (1.29 and later) makes a certificate. */
export interface SubjectSpec {
  /** `node`: the name of the node itself, behind a prefix. */
  readonly commonName: string | { readonly node: string };
  readonly organizations: readonly string[];
  /** Before 1.29; undefined: the same. */
  readonly olderOrganizations?: readonly string[];
  /** Since 1.33.12, 1.34.8, 1.35.5 and 1.36.1; undefined: the same. */
  readonly newerOrganizations?: readonly string[];
  /** Whose names and addresses it is for: see operations/names/node-names.ts. */
  readonly names: 'none' | 'apiserver' | 'etcd-server' | 'etcd-peer';
}

export interface CaSpec {
  readonly kind: 'ca';
  readonly name: CaName;
  /** Path below the cert dir without extension; what kubeadm prints in "Detected external …". */
  readonly baseName: string;
  readonly commonName: string;
  readonly longName: string;
  /** Belongs to a stacked etcd: left out when the configuration has an external one. */
  readonly stackedEtcd: boolean;
  /**
   * The components that read it when they start and never again: kube-controller-manager its --root-ca-file, and with kube-scheduler
   * its kubeconfig; etcd its trusted CAs, and kube-apiserver its --etcd-cafile. Kube-apiserver takes up --client-ca-file and
   * --requestheader-client-ca-file as they change (since 1.19).
   */
  readonly readAtStart: readonly Component[];
}

export interface LeafSpec {
  readonly kind: 'leaf';
  readonly name: string;
  readonly baseName: string;
  readonly longName: string;
  readonly caName: CaName;
  readonly components: readonly Component[];
  readonly subject: SubjectSpec;
  /** Extended key usages, without which its TLS peers refuse it. */
  readonly usages: readonly ('serverAuth' | 'clientAuth')[];
  readonly stackedEtcd: boolean;
}

export interface KubeconfigSpec {
  readonly kind: 'kubeconfig';
  /** It is the file's name in the kubeconfig dir too. */
  readonly name: string;
  readonly longName: string;
  readonly caName: 'ca';
  readonly components: readonly Component[];
  readonly subject: SubjectSpec;
  /** Extended key usages, without which its TLS peers refuse it. */
  readonly usages: readonly ('serverAuth' | 'clientAuth')[];
  /** It is only on the node where `kubeadm init` ran (since 1.29), so that it is never a "missing" row. */
  readonly optional: boolean;
  readonly stackedEtcd: false;
}

export type CertificateSpec = LeafSpec | KubeconfigSpec;

export const certificateAuthorities: readonly CaSpec[] = [
  {
    kind: 'ca',
    name: 'ca',
    baseName: 'ca',
    commonName: 'kubernetes',
    longName: 'self-signed Kubernetes CA to provision identities for other Kubernetes components',
    stackedEtcd: false,
    readAtStart: ['kube-controller-manager', 'kube-scheduler'],
  },
  {
    kind: 'ca',
    name: 'etcd-ca',
    baseName: 'etcd/ca',
    commonName: 'etcd-ca',
    longName: 'self-signed CA to provision identities for etcd',
    stackedEtcd: true,
    readAtStart: ['etcd', 'kube-apiserver'],
  },
  {
    kind: 'ca',
    name: 'front-proxy-ca',
    baseName: 'front-proxy-ca',
    commonName: 'front-proxy-ca',
    longName: 'self-signed CA to provision identities for front proxy',
    stackedEtcd: false,
    readAtStart: [],
  },
];

/** With an external etcd kubeadm neither makes nor renews it, and its files are where the configuration says. */
export const etcdClientSpec: LeafSpec = {
  kind: 'leaf',
  name: 'apiserver-etcd-client',
  baseName: 'apiserver-etcd-client',
  longName: 'certificate the apiserver uses to access etcd',
  caName: 'etcd-ca',
  components: ['kube-apiserver'],
  subject: {
    commonName: 'kube-apiserver-etcd-client',
    organizations: [],
    olderOrganizations: ['system:masters'],
    names: 'none',
  },
  usages: ['clientAuth'],
  stackedEtcd: true,
};

/** In the order of `kubeadm certs`: bytewise by name. */
export const certificates: readonly CertificateSpec[] = [
  {
    kind: 'kubeconfig',
    name: 'admin.conf',
    longName: 'certificate embedded in the kubeconfig file for the admin to use and for kubeadm itself',
    caName: 'ca',
    components: [],
    subject: {
      commonName: 'kubernetes-admin',
      organizations: ['kubeadm:cluster-admins'],
      olderOrganizations: ['system:masters'],
      names: 'none',
    },
    usages: ['clientAuth'],
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
    subject: { commonName: 'kube-apiserver', organizations: [], names: 'apiserver' },
    usages: ['serverAuth'],
    stackedEtcd: false,
  },
  etcdClientSpec,
  {
    kind: 'leaf',
    name: 'apiserver-kubelet-client',
    baseName: 'apiserver-kubelet-client',
    longName: 'certificate for the API server to connect to kubelet',
    caName: 'ca',
    components: ['kube-apiserver'],
    subject: {
      commonName: 'kube-apiserver-kubelet-client',
      organizations: ['kubeadm:cluster-admins'],
      olderOrganizations: ['system:masters'],
      newerOrganizations: [],
      names: 'none',
    },
    usages: ['clientAuth'],
    stackedEtcd: false,
  },
  {
    kind: 'kubeconfig',
    name: 'controller-manager.conf',
    longName: 'certificate embedded in the kubeconfig file for the controller manager to use',
    caName: 'ca',
    components: ['kube-controller-manager'],
    subject: { commonName: 'system:kube-controller-manager', organizations: [], names: 'none' },
    usages: ['clientAuth'],
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
    subject: {
      commonName: 'kube-etcd-healthcheck-client',
      organizations: [],
      olderOrganizations: ['system:masters'],
      names: 'none',
    },
    usages: ['clientAuth'],
    stackedEtcd: true,
  },
  {
    kind: 'leaf',
    name: 'etcd-peer',
    baseName: 'etcd/peer',
    longName: 'certificate for etcd nodes to communicate with each other',
    caName: 'etcd-ca',
    components: ['etcd'],
    subject: { commonName: { node: '' }, organizations: [], names: 'etcd-peer' },
    usages: ['serverAuth', 'clientAuth'],
    stackedEtcd: true,
  },
  {
    kind: 'leaf',
    name: 'etcd-server',
    baseName: 'etcd/server',
    longName: 'certificate for serving etcd',
    caName: 'etcd-ca',
    components: ['etcd'],
    subject: { commonName: { node: '' }, organizations: [], names: 'etcd-server' },
    usages: ['serverAuth', 'clientAuth'],
    stackedEtcd: true,
  },
  {
    kind: 'leaf',
    name: 'front-proxy-client',
    baseName: 'front-proxy-client',
    longName: 'certificate for the front proxy client',
    caName: 'front-proxy-ca',
    components: ['kube-apiserver'],
    subject: { commonName: 'front-proxy-client', organizations: [], names: 'none' },
    usages: ['clientAuth'],
    stackedEtcd: false,
  },
  {
    kind: 'kubeconfig',
    name: 'scheduler.conf',
    // "the scheduler manager" is kubeadm's own wording.
    longName: 'certificate embedded in the kubeconfig file for the scheduler manager to use',
    caName: 'ca',
    components: ['kube-scheduler'],
    subject: { commonName: 'system:kube-scheduler', organizations: [], names: 'none' },
    usages: ['clientAuth'],
    optional: false,
    stackedEtcd: false,
  },
  {
    kind: 'kubeconfig',
    name: 'super-admin.conf',
    longName: 'certificate embedded in the kubeconfig file for the super-admin',
    caName: 'ca',
    components: [],
    subject: { commonName: 'kubernetes-super-admin', organizations: ['system:masters'], names: 'none' },
    usages: ['clientAuth'],
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

/**
 * Made by `kubeadm init` and `generate-csr` for the kubelet, which then renews it by itself: it has no row, and is renewed only where
 * its name is given.
 */
export const kubeletKubeconfig: KubeconfigSpec = {
  kind: 'kubeconfig',
  name: 'kubelet.conf',
  longName: 'certificate embedded in the kubeconfig file for the kubelet to use',
  caName: 'ca',
  components: [],
  subject: { commonName: { node: 'system:node:' }, organizations: ['system:nodes'], names: 'none' },
  usages: ['clientAuth'],
  optional: true,
  stackedEtcd: false,
};

/** Components are restarted one after the other, each before those that need it: the API server lives on etcd, the others on the API server. */
export const restartOrder: readonly Component[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
];
