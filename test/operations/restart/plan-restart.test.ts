import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Component } from '../../../src/catalog/catalog.ts';
import { parseStaticPod, type StaticPods } from '../../../src/inventory/kubelet/static-pods.ts';
import { planRestarts, type ComponentRestart } from '../../../src/operations/restart/plan-restart.ts';
import { etcdClientUrl } from '../../../src/operations/restart/served-certificates.ts';
import { kubeadmManifests } from '../../support/kubelet/manifests.ts';

const ports = {
  etcdClient: 2379,
  etcdPeer: 2380,
  etcdMetrics: 2381,
  apiserver: 6443,
  controllerManager: 10257,
  scheduler: 10259,
};

function planned(component: Component, text: string): ReturnType<typeof planRestarts>[number] | undefined {
  const path = `/etc/kubernetes/manifests/${component}.yaml`;
  const target = { path, resolvedPath: path, before: undefined };
  const missing = { status: 'missing' } as const;
  const pods: StaticPods = {
    etcd: missing,
    'kube-apiserver': missing,
    'kube-controller-manager': missing,
    'kube-scheduler': missing,
    [component]: { status: 'present', value: { path, target, ...parseStaticPod(text, component) } },
  };
  return planRestarts([component], pods)[0];
}

function restartable(component: Component, text: string): ComponentRestart {
  const one = planned(component, text);
  assert.equal(one?.status, 'restartable');
  return one.restart;
}

const kubeadm = kubeadmManifests({ ports });

const pod = (words: string, container: string, more = ''): string =>
  `spec: {${more}containers: [{name: sidecar, livenessProbe: {httpGet: {host: 127.0.0.9, port: 9}}}, {name: kube-apiserver, command: [${words}], ${container}}]}`;
const liveness = 'livenessProbe: {httpGet: {port: 1, host: 192.0.2.1}}';

describe('what a manifest says of its component', () => {
  test("kubeadm's four: the probe with its named port, the certificates that are served", () => {
    const shown = (['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const).map(
      (component) => {
        const { probe, serves } = restartable(component, kubeadm[component] ?? '');
        const url =
          probe.kind === 'http' ? `${probe.scheme}://${probe.host}:${String(probe.port)}${probe.path}` : '';
        return [
          url,
          ...serves.map(({ to, host, port, certificateFile }) => [to, host, port, certificateFile]),
        ];
      },
    );
    assert.deepEqual(shown, [
      [
        'http://127.0.0.1:2381/health?exclude=NOSPACE&serializable=true',
        ['clients', '127.0.0.1', 2379, '/etc/kubernetes/pki/etcd/server.crt'],
        ['peers', '127.0.0.1', 2380, '/etc/kubernetes/pki/etcd/peer.crt'],
      ],
      ['https://127.0.0.1:6443/livez', ['clients', '127.0.0.1', 6443, '/etc/kubernetes/pki/apiserver.crt']],
      ['https://127.0.0.1:10257/healthz'],
      ['https://127.0.0.1:10259/livez'],
    ]);
  });

  test("a sidecar's flags do not count where the component has its own", () => {
    const sidecar =
      '  - command: [proxy, --tls-cert-file=/etc/proxy/tls.crt, --secure-port=9443]\n    name: proxy\n';
    const text = (kubeadm['kube-apiserver'] ?? '').replace('  hostNetwork:', `${sidecar}  hostNetwork:`);
    assert.match(text, /name: proxy/);
    assert.deepEqual(
      restartable('kube-apiserver', text).serves.map(({ port, certificateFile }) => [port, certificateFile]),
      [[6443, '/etc/kubernetes/pki/apiserver.crt']],
    );
  });

  for (const [what, text, expected] of [
    ["the component's own container counts", pod('a', liveness), '192.0.2.1:1'],
    ['else any other', pod('a', 'tty: true'), '127.0.0.9:9'],
    [
      'a startup probe where there is no liveness probe',
      'spec: {containers: [{startupProbe: {httpGet: {port: 2, host: "::1"}}, readinessProbe: {httpGet: {port: 3, host: a}}}]}',
      '::1:2',
    ],
    ['TCP', 'spec: {containers: [{livenessProbe: {tcpSocket: {port: 4, host: 192.0.2.2}}}]}', '192.0.2.2:4'],
    [
      'no host: the address it is bound to',
      'spec: {hostNetwork: true, containers: [{command: [x, --bind-address, 192.0.2.3], livenessProbe: {httpGet: {port: 5}}}]}',
      '192.0.2.3:5',
    ],
    [
      'no host, bound to all: the one it advertises',
      'spec: {hostNetwork: true, containers: [{command: [x, --bind-address=0.0.0.0, --advertise-address=192.0.2.4], livenessProbe: {httpGet: {port: 5}}}]}',
      '192.0.2.4:5',
    ],
    [
      'no host and no flag: loopback',
      'spec: {hostNetwork: true, containers: [{livenessProbe: {httpGet: {port: 5}}}]}',
      '127.0.0.1:5',
    ],
    [
      'exec first, HTTP second',
      'spec: {containers: [{livenessProbe: {exec: {command: [a]}}, readinessProbe: {httpGet: {port: 6, host: h}}}]}',
      'h:6',
    ],
  ] as const) {
    test(what, () => {
      const { probe } = restartable('kube-apiserver', text);
      assert.equal(`${probe.host}:${String(probe.port)}`, expected);
    });
  }

  for (const [what, container] of [
    ['exec only', 'livenessProbe: {exec: {command: [a]}}'],
    ['gRPC only', 'livenessProbe: {grpc: {port: 1}}'],
    ['a network of its own, and no host', 'livenessProbe: {httpGet: {port: 1}}'],
    ['a port out of range', 'livenessProbe: {httpGet: {host: a, port: 65536}}'],
    [
      'a name that no port has',
      'livenessProbe: {httpGet: {host: a, port: b}}, ports: [{name: c, containerPort: 1}]',
    ],
    ['no probe', 'tty: true'],
    ['a path that no request can hold', 'livenessProbe: {httpGet: {host: a, port: 1, path: "/a b"}}'],
    [
      'a header that no request can hold',
      'livenessProbe: {httpGet: {host: a, port: 1, httpHeaders: [{name: "a b", value: c}]}}',
    ],
    [
      'a header with a line end',
      'livenessProbe: {httpGet: {host: a, port: 1, httpHeaders: [{name: a, value: "b\\nc"}]}}',
    ],
  ] as const) {
    test(`refused: ${what}`, () => {
      const one = planned('kube-scheduler', `spec: {containers: [{${container}}]}`);
      assert.equal(one?.status, 'refused');
    });
  }

  for (const [what, words, expected] of [
    ['the last of two flags counts', '--tls-cert-file=/a, --tls-cert-file=/b', [['192.0.2.1', 6443, '/b']]],
    ['bound to one address', '--tls-cert-file=/a, --bind-address=192.0.2.7', [['192.0.2.7', 6443, '/a']]],
    [
      'bound to all',
      '--tls-cert-file=/a, "--bind-address=::", --secure-port, "8443"',
      [['192.0.2.1', 8443, '/a']],
    ],
    ['no file is named', '--secure-port=6443', []],
  ] as const) {
    test(`the certificate of kube-apiserver: ${what}`, () => {
      const { serves } = restartable('kube-apiserver', pod(words, liveness));
      assert.deepEqual(
        serves.map(({ host, port, certificateFile }) => [host, port, certificateFile]),
        expected,
      );
    });
  }

  test('etcd: loopback first, then the first https URL; plain HTTP serves no certificate', () => {
    const etcd = (urls: string): unknown =>
      restartable(
        'etcd',
        `spec: {containers: [{command: [etcd, --cert-file=/s, "--listen-client-urls=${urls}"], ${liveness}}]}`,
      ).serves.map(({ host, port }) => [host, port]);
    assert.deepEqual(etcd('https://192.0.2.1:2379,https://127.0.0.1:2379'), [['127.0.0.1', 2379]]);
    assert.deepEqual(etcd('https://[2001:db8::1]:2379,https://[::1]:2379'), [['::1', 2379]]);
    assert.deepEqual(etcd('https://192.0.2.1:2379'), [['192.0.2.1', 2379]]);
    assert.deepEqual(etcd('https://0.0.0.0:2379'), [['127.0.0.1', 2379]]);
    assert.deepEqual(etcd('http://127.0.0.1:2379'), []);
  });
});

describe("etcd's settings by its environment", () => {
  const env = (...variables: readonly (readonly [name: string, value: string])[]): string =>
    `env: [${variables.map(([name, value]) => `{name: ${name}, value: "${value}"}`).join(', ')}]`;
  const serves = (command: string, variables: string, sidecar = ''): unknown =>
    restartable(
      'etcd',
      `spec: {containers: [${sidecar}{name: etcd, command: [${command}], ${variables}, livenessProbe: {httpGet: {port: 1, host: 192.0.2.1}}}]}`,
    ).serves.map(({ to, host, port, certificateFile, identity }) => [
      to,
      host,
      port,
      certificateFile,
      identity?.keyFile,
    ]);
  const both = env(
    ['ETCD_LISTEN_CLIENT_URLS', 'https://192.0.2.1:2379,https://127.0.0.1:2379'],
    ['ETCD_CERT_FILE', '/server.crt'],
    ['ETCD_KEY_FILE', '/server.key'],
    ['ETCD_LISTEN_PEER_URLS', 'https://192.0.2.1:2380'],
    ['ETCD_PEER_CERT_FILE', '/peer.crt'],
    ['ETCD_PEER_KEY_FILE', '/peer.key'],
  );

  test('say what it serves', () => {
    assert.deepEqual(serves('etcd', both), [
      ['clients', '127.0.0.1', 2379, '/server.crt', '/server.key'],
      ['peers', '192.0.2.1', 2380, '/peer.crt', '/peer.key'],
    ]);
  });

  test('a flag wins', () => {
    assert.deepEqual(serves('etcd, --cert-file=/flag.crt, --listen-peer-urls=http://127.0.0.1:2380', both), [
      ['clients', '127.0.0.1', 2379, '/flag.crt', '/server.key'],
    ]);
  });

  test("not a sidecar's, neither its variables nor its flags, nor a value that is filled in elsewhere", () => {
    const sidecar = `{name: backup, command: [x, --cert-file=/side.crt], ${env(['ETCD_KEY_FILE', '/side.key'])}}, `;
    const elsewhere = both.replace('value: "/peer.crt"', 'valueFrom: {fieldRef: {fieldPath: status.podIP}}');
    assert.deepEqual(serves('etcd', elsewhere, sidecar), [
      ['clients', '127.0.0.1', 2379, '/server.crt', '/server.key'],
    ]);
  });

  test('an empty variable is none, and of two by one name the last counts', () => {
    const variables = env(
      ['ETCD_LISTEN_CLIENT_URLS', 'https://127.0.0.1:443'],
      ['ETCD_CERT_FILE', '/first.crt'],
      ['ETCD_CERT_FILE', '/second.crt'],
      ['ETCD_KEY_FILE', ''],
    );
    assert.deepEqual(serves('etcd', variables), [['clients', '127.0.0.1', 443, '/second.crt', undefined]]);
  });

  test('of the other components they are no flags', () => {
    const { serves } = restartable(
      'kube-apiserver',
      pod(
        'kube-apiserver',
        `${env(['ETCD_TLS_CERT_FILE', '/a.crt'], ['TLS_CERT_FILE', '/a.crt'])}, ${liveness}`,
      ),
    );
    assert.deepEqual(serves, []);
  });
});

describe('where etcd is asked', () => {
  const client = (urls: string): string | undefined => {
    const text = `spec: {containers: [{command: [etcd, "--listen-client-urls=${urls}"], ${liveness}}]}`;
    return etcdClientUrl(restartable('etcd', text).pod)?.href;
  };

  for (const [what, urls, expected] of [
    [
      'over TLS, where it speaks both',
      'http://127.0.0.1:2379,https://192.0.2.1:2379',
      'https://192.0.2.1:2379/',
    ],
    [
      'over plain http, where it speaks no TLS',
      'http://192.0.2.1:2379,http://127.0.0.1:2381',
      'http://127.0.0.1:2381/',
    ],
    ['on loopback, where it listens everywhere', 'https://0.0.0.0:2379', 'https://127.0.0.1:2379/'],
    ['on loopback, where it listens everywhere (IPv6)', 'http://[::]:2379', 'http://[::1]:2379/'],
    ['nowhere, where it has only a socket', 'unix://etcd:0', undefined],
  ] as const) {
    test(what, () => {
      assert.equal(client(urls), expected);
    });
  }
});
