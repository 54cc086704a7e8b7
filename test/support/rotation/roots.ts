import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { kubepkiInProcess } from '../in-process.ts';
import { manifestsOf } from './manifests.ts';

/** What a node of the cluster is called, and where it is. */
export interface NodePlace {
  readonly name: string;
  readonly address: string;
  /** Its root directory. */
  readonly root: string;
  readonly isControlPlane: boolean;
}

export interface Sharing {
  /** Of the load balancer. */
  readonly endpoint: string;
  readonly keys: 'ECDSA-P256' | 'RSA-2048';
}

/** Makes the root directories as `kubeadm init` and `kubeadm join` leave them: one CA of each kind, and leaves of each node's own. */
export async function makeRoots(places: readonly NodePlace[], sharing: Sharing): Promise<void> {
  const controlPlanes = places.filter(({ isControlPlane }) => isControlPlane);
  const members = controlPlanes.map(({ name, address }) => `${name}=https://${address}:2380`);
  const [first] = controlPlanes;
  if (first === undefined) throw new Error('a cluster has a control plane');
  for (const place of controlPlanes) {
    put(place, 'etc/kubernetes/kubeadm.yaml', configuration(place, sharing));
    if (place !== first) shareAuthorities(first, place);
    await generate(place, 'all');
    mkdirSync(join(place.root, 'etc/kubernetes/manifests'));
    mkdirSync(join(place.root, 'var/lib/etcd'), { recursive: true, mode: 0o700 });
    for (const [component, text] of Object.entries(manifestsOf({ ...place, members })))
      put(place, `etc/kubernetes/manifests/${component}.yaml`, text);
    // kubeadm join writes no super-admin.conf.
    if (place !== first) rmSync(join(place.root, 'etc/kubernetes/super-admin.conf'));
  }
  for (const place of places.filter(({ isControlPlane }) => !isControlPlane)) {
    await makeWorker(first, place, sharing);
  }
  for (const place of places) settleKubelet(place, sharing);
}

/** The documents that kubeadm was given, and that kubepki is given with --config. */
export function configuration({ name, address }: NodePlace, { endpoint, keys }: Sharing): string {
  return `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: ${address}, bindPort: 6443}
nodeRegistration: {name: ${name}}
---
${clusterConfiguration({ endpoint, keys })}`;
}

export function clusterConfiguration({ endpoint, keys }: Sharing): string {
  return `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
controlPlaneEndpoint: ${endpoint}:6443
encryptionAlgorithm: ${keys}
kubernetesVersion: v1.34.0
`;
}

/** @param path below the root of the node */
export function put({ root }: NodePlace, path: string, text: string | Buffer): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o600 });
}

async function generate({ root }: NodePlace, ...words: readonly string[]): Promise<void> {
  const config = ['--config', '/etc/kubernetes/kubeadm.yaml'];
  const { code, stderr } = await kubepkiInProcess([
    'certs',
    'generate',
    ...words,
    '--rootfs',
    root,
    ...config,
  ]);
  assert.equal(code, 0, stderr);
  rmSync(join(root, 'etc/kubernetes/pki/.kubepki/backups'), { recursive: true });
}

function shareAuthorities(from: NodePlace, to: NodePlace): void {
  const shared = ['ca.crt', 'ca.key', 'front-proxy-ca.crt', 'front-proxy-ca.key', 'sa.key', 'sa.pub'];
  for (const name of [...shared, 'etcd/ca.crt', 'etcd/ca.key']) {
    cpSync(join(from.root, 'etc/kubernetes/pki', name), join(to.root, 'etc/kubernetes/pki', name));
  }
}

/** Its kubelet.conf is made where the key of the CA is, and nothing but that and the CA is brought to it. */
async function makeWorker(first: NodePlace, place: NodePlace, sharing: Sharing): Promise<void> {
  const config = join(first.root, 'etc/kubernetes/kubeadm.yaml');
  const own = readFileSync(config);
  writeFileSync(config, configuration({ ...place, address: first.address }, sharing));
  await generate(first, 'kubelet.conf', '--kubeconfig-dir', '/worker');
  writeFileSync(config, own);
  mkdirSync(join(place.root, 'etc/kubernetes/pki'), { recursive: true });
  renameSync(join(first.root, 'worker/kubelet.conf'), join(place.root, 'etc/kubernetes/kubelet.conf'));
  rmSync(join(first.root, 'worker'), { recursive: true });
  cpSync(join(first.root, 'etc/kubernetes/pki/ca.crt'), join(place.root, 'etc/kubernetes/pki/ca.crt'));
}

/** A kubelet that has rotated its certificate once, and asks the load balancer. */
function settleKubelet(place: NodePlace, { endpoint }: Sharing): void {
  const path = join(place.root, 'etc/kubernetes/kubelet.conf');
  const text = readFileSync(path, 'utf8');
  const held = (field: string): string =>
    Buffer.from(new RegExp(`${field}: (\\S+)`).exec(text)?.[1] ?? '', 'base64').toString();
  const pki = '/var/lib/kubelet/pki';
  const dated = `${pki}/kubelet-client-2026-11-28-20-50-00.pem`;
  put(place, dated, held('client-certificate-data') + held('client-key-data'));
  symlinkSync(dated, join(place.root, pki, 'kubelet-client-current.pem'));
  writeFileSync(
    path,
    text
      .replace(/server: \S+/, `server: https://${endpoint}:6443`)
      .replace(/client-certificate-data: \S+/, `client-certificate: ${pki}/kubelet-client-current.pem`)
      .replace(/client-key-data: \S+/, `client-key: ${pki}/kubelet-client-current.pem`),
  );
  put(place, 'etc/passwd', 'root:x:0:0:root:/var/lib/root:/bin/sh\n');
  put(place, 'etc/group', 'root:x:0:\n');
  put(place, 'etc/hosts', '127.0.0.1 localhost\n');
  put(
    place,
    'var/lib/kubelet/config.yaml',
    `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: ${place.address}
authentication:
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
fileCheckFrequency: 1s
rotateCertificates: true
staticPodPath: /etc/kubernetes/manifests
`,
  );
}
