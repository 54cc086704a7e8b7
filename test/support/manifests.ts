import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tree } from './tree.ts';

/** Static pods as kubeadm writes them, cut down to what is looked at. */
export const apiServerPod = pod(
  'kube-apiserver',
  [
    '--advertise-address=192.0.2.10',
    '--allow-privileged=true',
    '--etcd-servers=https://127.0.0.1:2379',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    '--service-cluster-ip-range=10.96.0.0/12',
    '--tls-cert-file=/etc/kubernetes/pki/apiserver.crt',
  ],
  { host: '192.0.2.10', scheme: 'HTTPS' },
);

export const etcdPod = pod(
  'etcd',
  [
    '--advertise-client-urls=https://192.0.2.10:2379',
    '--initial-advertise-peer-urls=https://192.0.2.10:2380',
    '--initial-cluster=control-plane-1=https://192.0.2.10:2380',
    '--listen-client-urls=https://127.0.0.1:2379,https://192.0.2.10:2379',
    '--listen-metrics-urls=http://127.0.0.1:2381',
    '--listen-peer-urls=https://192.0.2.10:2380',
    '--name=control-plane-1',
  ],
  { host: '127.0.0.1', scheme: 'HTTP' },
);

export function writeManifests(tree: Tree): void {
  writeManifest(tree, 'kube-apiserver', apiServerPod);
  writeManifest(tree, 'etcd', etcdPod);
}

export function writeManifest(tree: Tree, name: string, text: string): void {
  const directory = join(tree.kubeconfigDir, 'manifests');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.yaml`), text, { mode: 0o600 });
}

export function pod(
  name: string,
  args: readonly string[],
  { host, scheme }: { readonly host: string; readonly scheme: string },
): string {
  return `apiVersion: v1
kind: Pod
metadata:
  creationTimestamp: null
  labels: {component: ${name}, tier: control-plane}
  name: ${name}
  namespace: kube-system
spec:
  containers:
  - command:
    - ${[name, ...args].join('\n    - ')}
    image: registry.k8s.io/${name}:1
    livenessProbe:
      failureThreshold: 8
      httpGet: {host: ${host}, path: /health, port: 2381, scheme: ${scheme}}
    name: ${name}
    startupProbe:
      httpGet: {host: ${host}, path: /health, port: 2381, scheme: ${scheme}}
  hostNetwork: true
status: {}
`;
}
