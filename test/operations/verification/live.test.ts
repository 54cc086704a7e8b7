import assert from 'node:assert/strict';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { endpointsOf, givenEndpoint } from '../../../src/operations/verification/endpoints.ts';
import { startedAfterItsFiles } from '../../../src/operations/verification/live.ts';
import type { Endpoint, Live, Observed } from '../../../src/operations/verification/observed.ts';
import { edit, found, observed, verifiedNode } from '../../support/planners/verified-node.ts';

const minuteMs = 60_000;

/** What is asked of a node, without its answers. */
function asked(node: Observed): readonly string[] {
  return endpointsOf(node).map(({ name, host, port, disk, caName }) =>
    [name, `${host}:${String(port)}`, disk?.path.replace(/^.*\/pki\//, '') ?? '-', caName ?? '-'].join(' '),
  );
}

const silent: Live = { answers: [], processes: undefined };

describe('what is asked', () => {
  test('is where each component serves, and what it should show', (t) => {
    assert.deepEqual(asked(observed(verifiedNode(t))), [
      'kube-apiserver 192.0.2.10:6443 apiserver.crt ca',
      'etcd 127.0.0.1:2379 etcd/server.crt etcd-ca',
      'etcd (peers) 192.0.2.10:2380 etcd/peer.crt etcd-ca',
      'kube-controller-manager 127.0.0.1:10257 - -',
      'kube-scheduler 127.0.0.1:10259 - -',
      'kubelet 127.0.0.1:10250 - -',
    ]);
  });
});

test('a component that serves no TLS is not asked', (t) => {
  const tree = verifiedNode(t);
  edit(tree, 'etc/kubernetes/manifests/kube-scheduler.yaml', (text) =>
    text.replace('--bind-address=127.0.0.1', '--secure-port=0'),
  );
  assert.ok(asked(observed(tree)).every((one) => !one.startsWith('kube-scheduler')));
});

test('the kubelet is asked where its configuration has it listen', (t) => {
  for (const [lines, expected] of [
    ['address: 192.0.2.10\nport: 10350\n', '192.0.2.10:10350'],
    ['address: 0.0.0.0\n', '127.0.0.1:10250'],
    ['address: "::"\nport: 0\n', '127.0.0.1:10250'],
  ] as const) {
    const tree = verifiedNode(t);
    edit(tree, 'var/lib/kubelet/config.yaml', (text) => text + lines);
    assert.ok(asked(observed(tree)).includes(`kubelet ${expected} - -`), asked(observed(tree)).join());
  }
});

test('the kubelet serves what serverTLSBootstrap says, whatever else was left there', (t) => {
  const tree = verifiedNode(t);
  const pki = join(tree.directory, 'var/lib/kubelet/pki');
  const kubelet = (): string | undefined => asked(observed(tree)).find((one) => one.startsWith('kubelet '));
  copyFileSync(join(tree.certDir, 'etcd/server.crt'), join(pki, 'kubelet-server-current.pem'));
  // It is off, and what was signed while it was on is served no more.
  assert.equal(kubelet(), 'kubelet 127.0.0.1:10250 - -');
  copyFileSync(join(tree.certDir, 'apiserver.crt'), join(pki, 'kubelet.crt'));
  assert.match(kubelet() ?? '', /kubelet\.crt -$/);
  edit(tree, 'var/lib/kubelet/config.yaml', (text) => `${text}serverTLSBootstrap: true\n`);
  assert.match(kubelet() ?? '', /kubelet-server-current\.pem ca$/);
  // Nobody has approved its request: it serves none.
  rmSync(join(pki, 'kubelet-server-current.pem'));
  assert.equal(kubelet(), 'kubelet 127.0.0.1:10250 - ca');
});

describe('what was answered', () => {
  test('is right, where each shows what is on disk', (t) => {
    const node = observed(verifiedNode(t));
    const answers = endpointsOf(node).flatMap((endpoint) =>
      endpoint.disk === undefined ? [] : [{ endpoint, status: 'shown', chain: endpoint.disk.chain } as const],
    );
    assert.equal(answers.length, 3);
    assert.deepEqual(found({ ...node, live: { ...silent, answers } }), []);
  });

  test('tells nothing, where there is no answer', (t) => {
    const node = observed(verifiedNode(t));
    const answers = endpointsOf(node).map(
      (endpoint) => ({ endpoint, status: 'silent', why: 'no answer' }) as const,
    );
    assert.deepEqual(
      found({ ...node, live: { ...silent, answers } }),
      ['kube-apiserver', 'etcd', 'etcd (peers)', 'kube-controller-manager', 'kube-scheduler', 'kubelet'].map(
        (name) => `unchecked live-answers ${name}`,
      ),
    );
  });

  test('is wrong, where one shows what another should', (t) => {
    const node = observed(verifiedNode(t));
    const [apiServer, etcd] = endpointsOf(node);
    assert.ok(apiServer !== undefined && etcd?.disk !== undefined);
    const answers = [{ endpoint: apiServer, status: 'shown', chain: etcd.disk.chain } as const];
    assert.deepEqual(found({ ...node, live: { ...silent, answers } }), [
      'error live-served kube-apiserver',
      'error live-valid kube-apiserver',
    ]);
  });
});

describe('a process', () => {
  const startedAt = new Date('2026-12-01T00:00:00Z');
  const wordsOf = ({ pods }: Observed, component: 'kube-apiserver' | 'etcd'): readonly string[] => {
    const pod = pods[component];
    assert.ok(pod.status === 'present');
    return pod.value.words.slice(1);
  };
  /** A file below the PKI's directory was written then, and all others before the processes began. */
  const withChanged = (node: Observed, changed: string, changedAt: Date): Observed => ({
    ...node,
    live: {
      ...silent,
      processes: [
        { component: 'kube-apiserver', words: wordsOf(node, 'kube-apiserver'), startedAt },
        { component: 'etcd', words: wordsOf(node, 'etcd'), startedAt },
      ],
    },
    manifestFiles: node.manifestFiles.map((file) =>
      file.path?.endsWith(`/pki/${changed}`) === true
        ? { ...file, changedAt }
        : { ...file, changedAt: new Date(startedAt.getTime() - minuteMs) },
    ),
  });
  const after = new Date(startedAt.getTime() + minuteMs);

  test('that is younger than its files is right', (t) => {
    assert.deepEqual(found(withChanged(observed(verifiedNode(t)), 'none', startedAt)), []);
  });

  test('goes on with what it read at its start, and each file is named once', (t) => {
    const node = observed(verifiedNode(t));
    const changed = withChanged(node, 'etcd/ca.crt', after);
    assert.deepEqual(found(changed), ['error live-started kube-apiserver', 'error live-started etcd']);
    assert.match(
      startedAfterItsFiles(changed).troubles[1]?.message ?? '',
      /^changed on 2026-12-01T00:01:00Z, after etcd started, .*\(--peer-trusted-ca-file, --trusted-ca-file\)$/,
    );
    for (const name of ['sa.pub', 'sa.key'])
      assert.deepEqual(found(withChanged(node, name, after)), ['error live-started kube-apiserver']);
  });

  test('reads its client CAs again by itself', (t) => {
    assert.deepEqual(found(withChanged(observed(verifiedNode(t)), 'ca.crt', after)), []);
  });

  test('of another cluster on this machine is none of this node', (t) => {
    const changed = withChanged(observed(verifiedNode(t)), 'etcd/ca.crt', after);
    const others = changed.live?.processes?.map((one) => ({
      ...one,
      words: one.words.map((word) => word.replaceAll('192.0.2.10', '192.0.2.99')),
    }));
    assert.deepEqual(found({ ...changed, live: { ...silent, processes: others } }), []);
  });

  test('that answers and is not seen is not checked: it may be hidden, or in another container', (t) => {
    const node = observed(verifiedNode(t));
    const answers = endpointsOf(node).flatMap((endpoint) =>
      endpoint.disk === undefined ? [] : [{ endpoint, status: 'shown', chain: endpoint.disk.chain } as const],
    );
    assert.deepEqual(found({ ...node, live: { answers, processes: [] } }), [
      'unchecked live-started etcd',
      'unchecked live-started kube-apiserver',
    ]);
    const seen = withChanged(node, 'none', startedAt);
    assert.deepEqual(found({ ...seen, live: { answers, processes: seen.live?.processes } }), []);
    // Of another node, whose files are below --rootfs, nothing is said.
    assert.deepEqual(found({ ...node, live: { answers, processes: undefined } }), []);
  });

  test('is of this node too where the kubelet has filled in a variable', (t) => {
    const tree = verifiedNode(t);
    const started = withChanged(observed(tree), 'etcd/ca.crt', after).live;
    edit(tree, 'etc/kubernetes/manifests/etcd.yaml', (text) =>
      text.replace('https://192.0.2.10:2379', 'https://$(HOST_IP):2379'),
    );
    const changed = withChanged(observed(tree), 'etcd/ca.crt', after);
    assert.ok(found({ ...changed, live: started }).includes('error live-started etcd'));
  });
});

describe('an address that was given', () => {
  const given = (host: string, port: number, serverName?: string): Endpoint =>
    givenEndpoint({ host, port, serverName }, { kubeconfigs: [] });
  const shown = (node: Observed, endpoint: Endpoint, disk: 'kube-apiserver' | 'etcd'): Observed => {
    const from = endpointsOf(node).find(({ name }) => name === disk)?.disk;
    assert.ok(from !== undefined);
    return { ...node, live: { ...silent, answers: [{ endpoint, status: 'shown', chain: from.chain }] } };
  };

  test('must show a certificate with the name by which it is called, of one of the CAs', (t) => {
    const node = observed(verifiedNode(t));
    assert.deepEqual(found(shown(node, given('192.0.2.10', 6443), 'kube-apiserver')), []);
    assert.deepEqual(found(shown(node, given('lb', 443, 'kubernetes.default'), 'kube-apiserver')), []);
    assert.deepEqual(found(shown(node, given('192.0.2.10', 6443, '192.0.2.9'), 'kube-apiserver')), [
      'error live-valid 192.0.2.10:6443',
    ]);
    assert.deepEqual(found(shown(node, given('localhost', 2379), 'etcd')), []);
  });

  test('is the API server where a kubeconfig leads to it, and then only its CA counts', (t) => {
    const node = observed(verifiedNode(t));
    const ca = (host: string, port: number): unknown =>
      givenEndpoint({ host, port, serverName: undefined }, node).caName;
    assert.deepEqual(
      [ca('192.0.2.10', 6443), ca('192.0.2.10', 443), ca('192.0.2.1', 6443)],
      ['ca', undefined, undefined],
    );
    const endpoint = givenEndpoint({ host: '192.0.2.10', port: 6443, serverName: undefined }, node);
    assert.deepEqual(found(shown(node, endpoint, 'etcd')), ['error live-valid 192.0.2.10:6443']);
  });

  test('is told when what it shows ends soon, which decides the exit code as a file does', (t) => {
    const node = shown(observed(verifiedNode(t)), given('192.0.2.10', 6443), 'kube-apiserver');
    const soon = { ...node, withinMs: 364 * 24 * 60 * minuteMs };
    assert.ok(found(soon).includes('warning ends-soon 192.0.2.10:6443'), found(soon).join());
  });
});
