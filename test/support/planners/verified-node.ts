import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FileSystemRoot } from '../../../src/filesystem/root.ts';
import { locateLayout } from '../../../src/inventory/layout.ts';
import { observe } from '../../../src/node/observe.ts';
import type { Observed } from '../../../src/operations/verification/observed.ts';
import { troublesOf, verification } from '../../../src/operations/verification/verification.ts';
import { copyFixture, type Cleanup, type Tree } from '../tree.ts';

const dayMs = 24 * 3600 * 1000;

/** When the node of {@link verifiedNode} is looked at. */
export const now = new Date('2026-12-01T00:00:00Z');

/** A control plane as kubeadm 1.35 leaves it: its PKI, manifests, kubeconfigs, and a kubelet that has rotated its certificate. */
export function verifiedNode(t: Cleanup): Tree {
  const tree = copyFixture(t, 'v1.35-stacked-etcd-rsa');
  for (const name of ['admin.conf', 'super-admin.conf']) {
    edit(tree, `etc/kubernetes/${name}`, (text) =>
      text.replace('https://127.0.0.1:1', 'https://192.0.2.10:6443'),
    );
  }
  for (const [component, { words, mounts }] of Object.entries(components)) {
    put(tree, `etc/kubernetes/manifests/${component}.yaml`, manifest(component, words, mounts));
  }
  const kubelet = readFileSync(join(tree.kubeconfigDir, 'kubelet.conf'), 'utf8');
  const held = (field: string): string =>
    Buffer.from(new RegExp(`${field}: (\\S+)`).exec(kubelet)?.[1] ?? '', 'base64').toString();
  const pem = held('client-certificate-data') + held('client-key-data');
  const pki = 'var/lib/kubelet/pki';
  put(tree, `${pki}/kubelet-client-2026-11-28-20-50-00.pem`, pem);
  symlinkSync(
    '/var/lib/kubelet/pki/kubelet-client-2026-11-28-20-50-00.pem',
    join(tree.directory, pki, 'kubelet-client-current.pem'),
  );
  edit(tree, 'etc/kubernetes/kubelet.conf', (text) =>
    text
      .replace(/client-certificate-data: \S+/, `client-certificate: /${pki}/kubelet-client-current.pem`)
      .replace(/client-key-data: \S+/, `client-key: /${pki}/kubelet-client-current.pem`),
  );
  put(tree, 'var/lib/kubelet/config.yaml', kubeletConfig);
  return tree;
}

/** Has its etcd elsewhere from now on, of which the API server's manifest alone tells. @returns the directory of its files */
export function moveEtcdElsewhere(tree: Tree): string {
  const elsewhere = join(tree.directory, 'etc/etcd');
  mkdirSync(elsewhere);
  const moved = {
    'etcd/ca.crt': 'ca.crt',
    'etcd/ca.key': 'ca.key',
    'apiserver-etcd-client.crt': 'client.crt',
    'apiserver-etcd-client.key': 'client.key',
  };
  for (const [from, to] of Object.entries(moved)) renameSync(join(tree.certDir, from), join(elsewhere, to));
  rmSync(join(tree.certDir, 'etcd'), { recursive: true });
  rmSync(join(tree.kubeconfigDir, 'manifests/etcd.yaml'));
  edit(tree, 'etc/kubernetes/manifests/kube-apiserver.yaml', (text) =>
    text
      .replace(`${pki}/etcd/ca.crt`, '/etc/etcd/ca.crt')
      .replace(`${pki}/apiserver-etcd-client.crt`, '/etc/etcd/client.crt')
      .replace(`${pki}/apiserver-etcd-client.key`, '/etc/etcd/client.key')
      .replace('https://127.0.0.1:2379', 'https://192.0.2.30:2379')
      .replace(
        '    volumeMounts:\n',
        '    volumeMounts:\n    - mountPath: /etc/etcd\n      name: etcd-certs-0\n',
      )
      .replace('  volumes:\n', '  volumes:\n  - hostPath:\n      path: /etc/etcd\n    name: etcd-certs-0\n'),
  );
  return elsewhere;
}

/** @param path below the root of the node */
export function put(tree: Tree, path: string, text: string): void {
  const file = join(tree.directory, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o600 });
}

export function edit(tree: Tree, path: string, change: (text: string) => string): void {
  const file = join(tree.directory, path);
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  if (after === before) throw new Error(`nothing was changed in ${path}`);
  writeFileSync(file, after);
}

interface Looking {
  readonly at?: Date;
  readonly certsOnly?: boolean;
  readonly cis?: boolean;
  readonly users?: readonly string[];
  readonly kubeconfigs?: readonly string[];
}

export function observed(
  tree: Tree,
  { at = now, certsOnly = false, cis = false, users = ['root'], kubeconfigs = [] }: Looking = {},
): Observed {
  const root = FileSystemRoot.open(tree.directory, '/');
  const layout = locateLayout(root, {
    certDir: undefined,
    kubeconfigDir: undefined,
    manifestsDir: undefined,
  });
  const node = {
    layout,
    isPlanned: false,
    config: undefined,
    configFrom: 'nobody',
    flags: ['--rootfs', '/node'],
    typed: { rootfs: '/node' },
  } as const;
  const people = { users, kubeconfigs };
  return observe(node, { certsOnly, cis, withinMs: 30 * dayMs, people, now: at });
}

/** What was found, such as `error key-other apiserver`; the check that has nothing to say is not there. */
export function found(node: Observed): readonly string[] {
  return troublesOf(verification(node)).map(({ grade, check, name }) => `${grade} ${check} ${name}`);
}

const pki = '/etc/kubernetes/pki';
const wholePki = [['k8s-certs', pki]] as const;

interface Component {
  readonly words: readonly string[];
  readonly mounts: readonly (readonly [name: string, path: string])[];
}

const components: Readonly<Record<string, Component>> = {
  'kube-apiserver': {
    words: [
      '--advertise-address=192.0.2.10',
      `--client-ca-file=${pki}/ca.crt`,
      `--etcd-cafile=${pki}/etcd/ca.crt`,
      `--etcd-certfile=${pki}/apiserver-etcd-client.crt`,
      `--etcd-keyfile=${pki}/apiserver-etcd-client.key`,
      '--etcd-servers=https://127.0.0.1:2379',
      `--kubelet-client-certificate=${pki}/apiserver-kubelet-client.crt`,
      `--kubelet-client-key=${pki}/apiserver-kubelet-client.key`,
      `--proxy-client-cert-file=${pki}/front-proxy-client.crt`,
      `--proxy-client-key-file=${pki}/front-proxy-client.key`,
      '--requestheader-allowed-names=front-proxy-client',
      `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
      '--secure-port=6443',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${pki}/sa.pub`,
      `--service-account-signing-key-file=${pki}/sa.key`,
      '--service-cluster-ip-range=10.96.0.0/12',
      `--tls-cert-file=${pki}/apiserver.crt`,
      `--tls-private-key-file=${pki}/apiserver.key`,
    ],
    mounts: wholePki,
  },
  'kube-controller-manager': {
    words: [
      '--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf',
      '--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf',
      '--bind-address=127.0.0.1',
      `--client-ca-file=${pki}/ca.crt`,
      `--cluster-signing-cert-file=${pki}/ca.crt`,
      `--cluster-signing-key-file=${pki}/ca.key`,
      '--kubeconfig=/etc/kubernetes/controller-manager.conf',
      `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
      `--root-ca-file=${pki}/ca.crt`,
      `--service-account-private-key-file=${pki}/sa.key`,
    ],
    mounts: [...wholePki, ['kubeconfig', '/etc/kubernetes/controller-manager.conf']],
  },
  'kube-scheduler': {
    words: [
      '--authentication-kubeconfig=/etc/kubernetes/scheduler.conf',
      '--authorization-kubeconfig=/etc/kubernetes/scheduler.conf',
      '--bind-address=127.0.0.1',
      '--kubeconfig=/etc/kubernetes/scheduler.conf',
    ],
    mounts: [['kubeconfig', '/etc/kubernetes/scheduler.conf']],
  },
  etcd: {
    words: [
      '--advertise-client-urls=https://192.0.2.10:2379',
      `--cert-file=${pki}/etcd/server.crt`,
      '--client-cert-auth=true',
      '--initial-advertise-peer-urls=https://192.0.2.10:2380',
      '--initial-cluster=cp-2=https://192.0.2.11:2380,cp-1=https://192.0.2.10:2380',
      `--key-file=${pki}/etcd/server.key`,
      '--listen-client-urls=https://127.0.0.1:2379,https://192.0.2.10:2379',
      '--listen-peer-urls=https://192.0.2.10:2380',
      '--name=cp-1',
      `--peer-cert-file=${pki}/etcd/peer.crt`,
      `--peer-key-file=${pki}/etcd/peer.key`,
      `--peer-trusted-ca-file=${pki}/etcd/ca.crt`,
      `--trusted-ca-file=${pki}/etcd/ca.crt`,
    ],
    mounts: [
      ['etcd-data', '/var/lib/etcd'],
      ['etcd-certs', `${pki}/etcd`],
    ],
  },
};

function manifest(component: string, words: readonly string[], mounts: Component['mounts']): string {
  return `apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubernetes.io/config.source: file
  labels:
    component: ${component}
    tier: control-plane
  name: ${component}
  namespace: kube-system
spec:
  containers:
  - command:
    - ${[component, ...words].join('\n    - ')}
    image: registry.k8s.io/${component}:v1.35.0
    imagePullPolicy: IfNotPresent
${['livenessProbe', 'readinessProbe', 'startupProbe'].map(probe).join('\n')}
    name: ${component}
    ports:
    - containerPort: 10259
      name: probe-port
      protocol: TCP
    resources:
      requests:
        cpu: 100m
    volumeMounts:
${mounts.map(([name, path]) => `    - mountPath: ${path}\n      name: ${name}\n      readOnly: true`).join('\n')}
  hostNetwork: true
  priority: 2000001000
  priorityClassName: system-node-critical
  volumes:
${mounts.map(([name, path]) => `  - hostPath:\n      path: ${path}\n      type: DirectoryOrCreate\n    name: ${name}`).join('\n')}
status: {}
`;
}

function probe(name: string): string {
  return `    ${name}:
      failureThreshold: 8
      httpGet:
        host: 127.0.0.1
        path: /livez
        port: probe-port
        scheme: HTTPS
      initialDelaySeconds: 10
      periodSeconds: 10
      timeoutSeconds: 15`;
}

const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
rotateCertificates: true
staticPodPath: /etc/kubernetes/manifests
`;
