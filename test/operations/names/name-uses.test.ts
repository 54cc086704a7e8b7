import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStaticPod, type StaticPods } from '../../../src/inventory/kubelet/static-pods.ts';
import { nameUses } from '../../../src/operations/names/name-uses.ts';

const path = '/etc/kubernetes/manifests/etcd.yaml';
const target = { path, resolvedPath: path, before: undefined };
const missing = { status: 'missing' } as const;

function uses(names: 'etcd-server' | 'etcd-peer', text: string): unknown {
  const pods: StaticPods = {
    etcd: { status: 'present', value: { path, target, ...parseStaticPod(text, 'etcd') } },
    'kube-apiserver': missing,
    'kube-controller-manager': missing,
    'kube-scheduler': missing,
  };
  return nameUses(names, { kubeconfigs: [], pods }).uses.map(({ name, field }) => [name, field]);
}

const text = `spec:
  containers:
  - name: etcd
    command: [etcd, --advertise-client-urls=https://etcd.example.com:2379]
    env:
    - {name: ETCD_ADVERTISE_CLIENT_URLS, value: 'https://overruled.example.com:2379'}
    - {name: ETCD_LISTEN_CLIENT_URLS, value: 'https://192.0.2.10:2379,https://127.0.0.1:2379'}
    - {name: ETCD_INITIAL_CLUSTER, value: 'a=https://a.example.com:2380,b=https://192.0.2.11:2380'}
`;

test("names that etcd's environment says are used, and where that stands; a flag wins", () => {
  assert.deepEqual(uses('etcd-server', text), [
    ['IP:192.0.2.10', 'ETCD_LISTEN_CLIENT_URLS'],
    ['IP:127.0.0.1', 'ETCD_LISTEN_CLIENT_URLS'],
    ['DNS:etcd.example.com', '--advertise-client-urls'],
  ]);
  assert.deepEqual(uses('etcd-peer', text), [
    ['DNS:a.example.com', 'ETCD_INITIAL_CLUSTER'],
    ['IP:192.0.2.11', 'ETCD_INITIAL_CLUSTER'],
  ]);
});
