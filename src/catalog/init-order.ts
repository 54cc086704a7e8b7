import {
  certificateAuthorities,
  certificates,
  kubeletKubeconfig,
  type CaSpec,
  type CertificateSpec,
  type Component,
} from './catalog.ts';

/** The service-account key pair: no certificate, so kubeadm's certs commands never list it. */
export interface ServiceAccountSpec {
  readonly kind: 'service-account';
  readonly name: 'sa';
  readonly stackedEtcd: false;
}

export const serviceAccount: ServiceAccountSpec = { kind: 'service-account', name: 'sa', stackedEtcd: false };

/** Its two files, by name, with the components that read each when they start and never again. */
export const tokenKeyFiles: readonly {
  readonly name: TokenKeyFile;
  readonly components: readonly Component[];
}[] = [
  { name: 'sa.key', components: ['kube-apiserver', 'kube-controller-manager'] },
  { name: 'sa.pub', components: ['kube-apiserver'] },
];

export type TokenKeyFile = 'sa.key' | 'sa.pub';

/** One of the things that `kubeadm init` makes before there is a cluster. */
export type InitSpec = CaSpec | CertificateSpec | ServiceAccountSpec;

// `kubeadm init phase certs all`, then `kubeadm init phase kubeconfig all`: each CA before what it signs.
const names = [
  ...['ca', 'apiserver', 'apiserver-kubelet-client', 'front-proxy-ca', 'front-proxy-client'],
  ...['etcd-ca', 'etcd-server', 'etcd-peer', 'etcd-healthcheck-client', 'apiserver-etcd-client', 'sa'],
  ...['admin.conf', 'super-admin.conf', 'kubelet.conf', 'controller-manager.conf', 'scheduler.conf'],
];

/** The components that have to be restarted before they use another one. Who uses the service-account key, its own commands know. */
function usersOf(spec: InitSpec): readonly Component[] {
  switch (spec.kind) {
    case 'ca':
      return spec.readAtStart;
    case 'service-account':
      return [];
    case 'leaf':
    case 'kubeconfig':
      return spec.components;
  }
}

/** All that kubeadm makes, in its order. */
export const initSpecs: readonly InitSpec[] = names.map((name) => {
  const all: readonly InitSpec[] = [
    ...certificateAuthorities,
    ...certificates,
    kubeletKubeconfig,
    serviceAccount,
  ];
  const spec = all.find((one) => one.name === name);
  if (spec === undefined) throw new TypeError(`nothing is called ${name} in the catalog`);
  return spec;
});

/** The same for what has that name: one of these, or a file of the service-account key. */
export function usersOfNamed(name: string): readonly Component[] {
  const spec = initSpecs.find((one) => one.name === name);
  return spec === undefined
    ? (tokenKeyFiles.find((file) => file.name === name)?.components ?? [])
    : usersOf(spec);
}
