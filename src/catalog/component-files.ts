import type { CaName, Component } from './catalog.ts';

/** What a component's flag names: one of the files that kubeadm makes, by the name of what it belongs to. */
export type NamedFile =
  /** The certificates that a server shows, or a client. */
  | { readonly kind: 'certificate'; readonly of: string }
  | { readonly kind: 'key'; readonly of: string }
  /** The CAs by which the component judges its peers. */
  | { readonly kind: 'trust'; readonly of: CaName }
  /** The CA that kube-controller-manager signs requests with, and its key. */
  | { readonly kind: 'signer'; readonly of: 'ca' }
  | { readonly kind: 'signer-key'; readonly of: 'ca' }
  /** The public keys that service-account tokens are judged by, and the key that signs them. */
  | { readonly kind: 'token-keys'; readonly of: 'sa' }
  | { readonly kind: 'token-signer'; readonly of: 'sa' }
  | { readonly kind: 'kubeconfig'; readonly of: string };

/** A flag whose value is a path inside the component's container. */
export interface FileFlag {
  readonly component: Component;
  readonly flag: string;
  readonly file: NamedFile;
}

/** As kubeadm writes the manifests (cmd/kubeadm/app/phases/controlplane and phases/etcd). */
export const fileFlags: readonly FileFlag[] = [
  ...of('kube-apiserver', {
    'client-ca-file': { kind: 'trust', of: 'ca' },
    'etcd-cafile': { kind: 'trust', of: 'etcd-ca' },
    'etcd-certfile': { kind: 'certificate', of: 'apiserver-etcd-client' },
    'etcd-keyfile': { kind: 'key', of: 'apiserver-etcd-client' },
    'kubelet-certificate-authority': { kind: 'trust', of: 'ca' },
    'kubelet-client-certificate': { kind: 'certificate', of: 'apiserver-kubelet-client' },
    'kubelet-client-key': { kind: 'key', of: 'apiserver-kubelet-client' },
    'proxy-client-cert-file': { kind: 'certificate', of: 'front-proxy-client' },
    'proxy-client-key-file': { kind: 'key', of: 'front-proxy-client' },
    'requestheader-client-ca-file': { kind: 'trust', of: 'front-proxy-ca' },
    'service-account-key-file': { kind: 'token-keys', of: 'sa' },
    'service-account-signing-key-file': { kind: 'token-signer', of: 'sa' },
    'tls-cert-file': { kind: 'certificate', of: 'apiserver' },
    'tls-private-key-file': { kind: 'key', of: 'apiserver' },
  }),
  ...of('kube-controller-manager', {
    'authentication-kubeconfig': { kind: 'kubeconfig', of: 'controller-manager.conf' },
    'authorization-kubeconfig': { kind: 'kubeconfig', of: 'controller-manager.conf' },
    'client-ca-file': { kind: 'trust', of: 'ca' },
    'cluster-signing-cert-file': { kind: 'signer', of: 'ca' },
    'cluster-signing-key-file': { kind: 'signer-key', of: 'ca' },
    kubeconfig: { kind: 'kubeconfig', of: 'controller-manager.conf' },
    'requestheader-client-ca-file': { kind: 'trust', of: 'front-proxy-ca' },
    'root-ca-file': { kind: 'trust', of: 'ca' },
    'service-account-private-key-file': { kind: 'token-signer', of: 'sa' },
  }),
  ...of('kube-scheduler', {
    'authentication-kubeconfig': { kind: 'kubeconfig', of: 'scheduler.conf' },
    'authorization-kubeconfig': { kind: 'kubeconfig', of: 'scheduler.conf' },
    kubeconfig: { kind: 'kubeconfig', of: 'scheduler.conf' },
  }),
  ...of('etcd', {
    'cert-file': { kind: 'certificate', of: 'etcd-server' },
    'key-file': { kind: 'key', of: 'etcd-server' },
    'peer-cert-file': { kind: 'certificate', of: 'etcd-peer' },
    'peer-key-file': { kind: 'key', of: 'etcd-peer' },
    'peer-trusted-ca-file': { kind: 'trust', of: 'etcd-ca' },
    'trusted-ca-file': { kind: 'trust', of: 'etcd-ca' },
  }),
];

function of(component: Component, flags: Readonly<Record<string, NamedFile>>): FileFlag[] {
  return Object.entries(flags).map(([flag, file]) => ({ component, flag, file }));
}
