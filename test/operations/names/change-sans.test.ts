import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KubepkiError } from '../../../src/errors/error.ts';
import type { KubeconfigServer } from '../../../src/inventory/node-traces.ts';
import {
  parseStaticPod,
  type StaticPod,
  type StaticPods,
} from '../../../src/inventory/kubelet/static-pods.ts';
import type { Reading } from '../../../src/inventory/reading.ts';
import { changeSans, changesNames, type SanChange } from '../../../src/operations/names/change-sans.ts';
import type { NodeIdentity } from '../../../src/operations/names/node-names.ts';
import { parseSubjectAltName, subjectAltName } from '../../../src/pki/extension/subject-alt-name.ts';
import { apiServerPod, etcdPod, pod } from '../../support/manifests.ts';
import { specOf } from '../../support/planners/planned-node.ts';

const file = '/k/pki/server.crt';
const missing = { status: 'missing' } as const;

function staticPod(component: 'etcd' | 'kube-apiserver', text: string): Reading<StaticPod> {
  const path = `/k/manifests/${component}.yaml`;
  const target = { path, resolvedPath: path, before: undefined };
  return { status: 'present', value: { path, target, ...parseStaticPod(text, component) } };
}

function unreadable(path: string): { readonly status: 'unreadable'; readonly error: KubepkiError } {
  return { status: 'unreadable', error: new KubepkiError('bad-manifest', 'is no pod', { file: path }) };
}

function kubeconfig(name: string, server: string): Reading<KubeconfigServer> {
  return { status: 'present', value: { path: `/k/${name}`, server } };
}

const pods: StaticPods = {
  etcd: staticPod('etcd', etcdPod),
  'kube-apiserver': staticPod('kube-apiserver', apiServerPod),
  'kube-controller-manager': missing,
  'kube-scheduler': missing,
};
const noPods: StaticPods = { ...pods, etcd: missing, 'kube-apiserver': missing };

interface Asking {
  readonly name?: string;
  /** The SANs of now. */
  readonly old?: readonly string[];
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  /** `--sans-from-config` */
  readonly configured?: NodeIdentity;
  readonly kubeconfigs?: readonly Reading<KubeconfigServer>[];
  readonly pods?: StaticPods;
  readonly force?: boolean;
}

const isAddress = (name: string): boolean => /^[\d.]+$|:/.test(name);
const split = (names: readonly string[]): { dnsNames: string[]; ipAddresses: string[] } => ({
  dnsNames: names.filter((name) => !isAddress(name)),
  ipAddresses: names.filter(isAddress),
});

function ask({ name = 'apiserver', old, add = [], remove = [], configured, ...more }: Asking): SanChange {
  const { dnsNames, ipAddresses } = split(old ?? []);
  const san = subjectAltName(dnsNames, ipAddresses);
  return changeSans(specOf(name), { extensions: san === undefined ? [] : [san] }, file, {
    wish:
      configured === undefined
        ? { kind: 'edit', add: split(add), remove: split(remove) }
        : { kind: 'configured', node: configured },
    sources: { kubeconfigs: more.kubeconfigs ?? [], pods: more.pods ?? noPods },
    force: more.force ?? false,
  });
}

function refusal(asking: Asking): KubepkiError {
  try {
    ask(asking);
  } catch (error) {
    if (error instanceof KubepkiError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
}

const sansOf = ({ edit }: SanChange): readonly string[] => parseSubjectAltName(edit?.extension);

describe('SANs that come and go', () => {
  test('are those asked for; the others stay in their order', () => {
    const change = ask({
      old: ['a.example.com', 'b.example.com', '192.0.2.1'],
      add: ['c.example.com', '2001:db8::1'],
      remove: ['a.example.com'],
    });
    assert.deepEqual(sansOf(change), [
      'DNS:b.example.com',
      'DNS:c.example.com',
      'IP:192.0.2.1',
      'IP:2001:db8::1',
    ]);
    assert.deepEqual(
      [change.edit?.added, change.edit?.removed],
      [['DNS:c.example.com', 'IP:2001:db8::1'], ['DNS:a.example.com']],
    );
    assert.equal(changesNames(change), true);
    assert.deepEqual(
      [change.alreadyThere, change.notThere, change.stillUsed, change.faults],
      [[], [], [], []],
    );
  });

  test('what is there already, or not there, is said, in whatever way it is written', () => {
    const change = ask({
      old: ['A.example.com', '192.0.2.1'],
      add: ['a.EXAMPLE.com', '::ffff:192.0.2.1'],
      remove: ['b.example.com', '192.0.2.9'],
    });
    assert.equal(change.edit, undefined);
    assert.equal(changesNames(change), false);
    assert.deepEqual(change.alreadyThere, ['DNS:a.EXAMPLE.com', 'IP:192.0.2.1']);
    assert.deepEqual(change.notThere, ['DNS:b.example.com', 'IP:192.0.2.9']);
  });

  test('a certificate without any gets its first', () => {
    assert.deepEqual(sansOf(ask({ old: [], add: ['a.example.com'] })), ['DNS:a.example.com']);
  });

  test('one name must be left, even by force: no client takes a server without', () => {
    for (const force of [false, true]) {
      const error = refusal({ old: ['a.example.com'], remove: ['a.example.com'], force });
      assert.deepEqual(
        [error.code, error.oneLine, error.hint],
        [
          'conflict',
          `${file}: would be left without a DNS name or an IP address among its SANs`,
          'a server needs one; add another with --add-san',
        ],
      );
    }
    const change = ask({ old: ['a.example.com'], remove: ['a.example.com'], add: ['192.0.2.1'] });
    assert.deepEqual(sansOf(change), ['IP:192.0.2.1']);
  });
});

const node: NodeIdentity = {
  kubeletServer: 'own',
  nodeName: 'cp-1',
  advertiseAddress: '192.0.2.10',
  bindPort: 6443,
  clusterName: 'kubernetes',
  controlPlaneEndpoint: { host: 'api.example.com', port: undefined },
  serviceSubnets: ['10.96.0.0/12'],
  dnsDomain: 'cluster.local',
  apiServerSans: ['extra.example.com'],
  etcdServerSans: ['etcd.example.com'],
  etcdPeerSans: ['192.0.2.44'],
};

describe('SANs as the configuration has them', () => {
  // What kubeadm's rules make of it (GetAPIServerAltNames, GetEtcdAltNames, GetEtcdPeerAltNames).
  const expected = {
    apiserver: [
      ...[
        'DNS:api.example.com',
        'DNS:cp-1',
        'DNS:extra.example.com',
        'DNS:kubernetes',
        'DNS:kubernetes.default',
      ],
      ...['DNS:kubernetes.default.svc', 'DNS:kubernetes.default.svc.cluster.local'],
      ...['IP:10.96.0.1', 'IP:192.0.2.10'],
    ],
    'etcd-server': [
      ...['DNS:cp-1', 'DNS:etcd.example.com', 'DNS:localhost', 'IP:192.0.2.10', 'IP:127.0.0.1', 'IP:::1'],
    ],
    'etcd-peer': [
      ...['DNS:cp-1', 'DNS:localhost', 'IP:192.0.2.10', 'IP:127.0.0.1', 'IP:::1', 'IP:192.0.2.44'],
    ],
  };
  for (const [name, sans] of Object.entries(expected)) {
    test(name, () => {
      const change = ask({ name, old: ['localhost', 'gone.example.com'], configured: node });
      assert.deepEqual(sansOf(change), sans);
      assert.ok(change.edit?.removed.includes('DNS:gone.example.com'));
      assert.deepEqual([change.alreadyThere, change.notThere], [[], []]);
      const again = ask({ name, old: sans.map((one) => one.replace(/^(?:DNS|IP):/, '')), configured: node });
      assert.equal(again.edit, undefined);
    });
  }

  test('in another order they are no other names', () => {
    const old = expected['etcd-server'].map((one) => one.replace(/^(?:DNS|IP):/, '')).reverse();
    const change = ask({ name: 'etcd-server', old, configured: node });
    assert.deepEqual(sansOf(change), expected['etcd-server']);
    assert.equal(changesNames(change), false);
  });

  test('what is still used is not removed either', () => {
    const error = refusal({
      old: ['old.example.com'],
      configured: node,
      kubeconfigs: [kubeconfig('admin.conf', 'https://old.example.com:6443')],
    });
    assert.equal(error.message, 'DNS:old.example.com is still used by /k/admin.conf (server)');
  });
});

describe('a SAN that is still used', () => {
  const usages: readonly (readonly [name: string, san: string, places: readonly string[]])[] = [
    [
      'apiserver',
      'IP:192.0.2.10',
      ['/k/scheduler.conf (server)', '/k/manifests/kube-apiserver.yaml (--advertise-address)'],
    ],
    ['apiserver', 'IP:10.96.0.1', ['/k/manifests/kube-apiserver.yaml (--service-cluster-ip-range)']],
    [
      'apiserver',
      'DNS:kubernetes.default.svc',
      ['/k/manifests/kube-apiserver.yaml (the service "kubernetes")'],
    ],
    [
      'apiserver',
      'DNS:kubernetes.default.svc.cluster.local',
      ['/k/manifests/kube-apiserver.yaml (--service-account-issuer)'],
    ],
    [
      'etcd-server',
      'IP:127.0.0.1',
      [
        '/k/manifests/etcd.yaml (--listen-client-urls)',
        '/k/manifests/etcd.yaml (livenessProbe)',
        '/k/manifests/etcd.yaml (startupProbe)',
        '/k/manifests/kube-apiserver.yaml (--etcd-servers)',
      ],
    ],
    [
      'etcd-server',
      'IP:192.0.2.10',
      ['/k/manifests/etcd.yaml (--advertise-client-urls)', '/k/manifests/etcd.yaml (--listen-client-urls)'],
    ],
    [
      'etcd-peer',
      'IP:192.0.2.10',
      [
        '/k/manifests/etcd.yaml (--listen-peer-urls)',
        '/k/manifests/etcd.yaml (--initial-advertise-peer-urls)',
        '/k/manifests/etcd.yaml (--initial-cluster)',
      ],
    ],
  ];
  for (const [name, san, places] of usages) {
    test(`${name}: ${san} by ${places.join(', ')}`, () => {
      const remove = [san.replace(/^(?:DNS|IP):/, '')];
      const asking = {
        ...{ name, old: ['stays.example.com', ...remove], remove, pods },
        kubeconfigs: [kubeconfig('scheduler.conf', 'https://192.0.2.10:6443')],
      };
      const error = refusal(asking);
      const hint = 'change that first, or remove it all the same: --force';
      assert.deepEqual([error.code, error.file, error.hint], ['in-use', file, hint]);
      const [, said = ''] = /^(?:\S+) is still used by (.*)$/.exec(error.message) ?? [];
      assert.deepEqual(said.split(', ').sort(), [...places].sort());
      const forced = ask({ ...asking, force: true });
      assert.deepEqual(forced.stillUsed, [error.message]);
      assert.deepEqual(sansOf(forced), ['DNS:stays.example.com']);
    });
  }

  test('by another certificate does not matter', () => {
    const old = ['stays.example.com', '127.0.0.1', 'localhost', 'control-plane-1'];
    ask({ name: 'etcd-peer', old, remove: ['127.0.0.1'], pods });
    ask({ name: 'etcd-server', old, remove: ['localhost'], pods });
    ask({ name: 'apiserver', old, remove: ['control-plane-1', '127.0.0.1'], pods });
  });

  test('several are each said with every file, in one line', () => {
    const error = refusal({
      old: ['a.example.com', 'b.example.com', 'c.example.com'],
      remove: ['a.example.com', 'b.example.com'],
      kubeconfigs: [
        kubeconfig('admin.conf', 'https://a.example.com:6443'),
        kubeconfig('kubelet.conf', 'https://a.example.com:6443'),
        kubeconfig('scheduler.conf', 'https://b.example.com:6443'),
      ],
    });
    assert.equal(
      error.message,
      'DNS:a.example.com is still used by /k/admin.conf (server), /k/kubelet.conf (server); DNS:b.example.com is still used by /k/scheduler.conf (server)',
    );
  });

  for (const [url, san] of [
    ['https://API.example.com:8443/k8s?x', 'api.example.com'],
    ['https://api.example.com.', 'api.example.com'],
    ['api.example.com:6443', 'api.example.com'],
    ['https://[2001:DB8:0::10]:6443', '2001:db8::10'],
    ['https://[::ffff:198.51.100.7]', '198.51.100.7'],
  ] as const) {
    test(`${san} by ${url}`, () => {
      const asking = { old: [san, 'stays.example.com'], remove: [san] };
      const kubeconfigs = [kubeconfig('super-admin.conf', url)];
      assert.match(refusal({ ...asking, kubeconfigs }).message, /by \/k\/super-admin\.conf \(server\)$/);
      ask({ ...asking, kubeconfigs: [kubeconfig('super-admin.conf', 'https://elsewhere.example.com')] });
    });
  }

  for (const args of [
    ['--advertise-address', '198.51.100.7'],
    ['-advertise-address=198.51.100.7'],
    ['"--advertise-address=198.51.100.7"', '--other=1'],
  ]) {
    test(`by a flag written as ${args.join(' ')}, in command or in args`, () => {
      const command = pod('kube-apiserver', args, { host: '127.0.0.1', scheme: 'HTTP' });
      const apart = command.replace(/\n {4}- kube-apiserver\n/, ' [kube-apiserver]\n    args:\n');
      assert.notEqual(apart, command);
      for (const text of [command, apart]) {
        const error = refusal({
          ...{ old: ['198.51.100.7', 'stays.example.com'], remove: ['198.51.100.7'] },
          pods: { ...noPods, 'kube-apiserver': staticPod('kube-apiserver', text) },
        });
        assert.match(error.message, / \(--advertise-address\)$/);
      }
    });
  }

  test('a wildcard covers one label: the last name that covers what is used stays', () => {
    const kubeconfigs = [kubeconfig('admin.conf', 'https://cluster.example.com:6443')];
    const both = ['cluster.example.com', '*.example.com', 'x.org'];
    ask({ kubeconfigs, old: both, remove: ['cluster.example.com'] });
    ask({ kubeconfigs, old: both, remove: ['*.example.com'] });
    const last = { kubeconfigs, old: ['*.example.com', 'x.org'], remove: ['*.example.com'] };
    assert.match(refusal(last).message, /^DNS:\*\.example\.com is still used by /);
    ask({ ...last, add: ['cluster.example.com'] });
    // Not two labels, and not the name itself.
    for (const server of ['https://a.b.example.com', 'https://example.com']) {
      ask({ ...last, kubeconfigs: [kubeconfig('admin.conf', server)] });
    }
  });

  test('of a file that cannot be read it is not known, which is said where something is removed', () => {
    const asking = {
      old: ['a.example.com', 'b.example.com'],
      kubeconfigs: [unreadable('/k/kubelet.conf')],
      pods: { ...pods, 'kube-apiserver': unreadable('/k/manifests/kube-apiserver.yaml') },
    };
    const faultsOf = (change: SanChange): unknown => change.faults.map(({ oneLine }) => oneLine);
    assert.deepEqual(faultsOf(ask({ ...asking, remove: ['a.example.com'] })), [
      '/k/kubelet.conf: is no pod',
      '/k/manifests/kube-apiserver.yaml: is no pod',
    ]);
    assert.deepEqual(faultsOf(ask({ ...asking, add: ['c.example.com'] })), []);
    // A peer's names stand in etcd's manifest alone.
    assert.deepEqual(faultsOf(ask({ ...asking, name: 'etcd-peer', remove: ['a.example.com'] })), []);
  });
});
