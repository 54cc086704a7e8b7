import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endpointsOf } from '../../../src/operations/verification/endpoints.ts';
import type { Live, Observed } from '../../../src/operations/verification/observed.ts';
import { found, observed, verifiedNode } from '../../support/planners/verified-node.ts';

const minuteMs = 60_000;

/** What is asked of a node, without its answers. */
function asked(node: Observed): readonly string[] {
  return endpointsOf(node).map(({ name, host, port, disk, caName }) =>
    [name, `${host}:${String(port)}`, disk?.path.replace(/^.*\/pki\//, '') ?? '-', caName ?? '-'].join(' '),
  );
}

const silent: Live = { answers: [], processes: [] };

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
  const withChanged = (node: Observed, flag: string, changedAt: Date): Observed => ({
    ...node,
    live: {
      ...silent,
      processes: [
        { component: 'kube-apiserver', startedAt },
        { component: 'etcd', startedAt },
      ],
    },
    manifestFiles: node.manifestFiles.map((file) =>
      file.flag === flag
        ? { ...file, changedAt }
        : { ...file, changedAt: new Date(startedAt.getTime() - minuteMs) },
    ),
  });

  test('that is younger than its files is right', (t) => {
    assert.deepEqual(found(withChanged(observed(verifiedNode(t)), 'none', startedAt)), []);
  });

  test('goes on with what it read at its start', (t) => {
    const after = new Date(startedAt.getTime() + minuteMs);
    const node = observed(verifiedNode(t));
    assert.deepEqual(found(withChanged(node, 'trusted-ca-file', after)), ['error live-started etcd']);
    assert.deepEqual(found(withChanged(node, 'service-account-key-file', after)), [
      'error live-started kube-apiserver',
    ]);
  });

  test('reads its client CAs again by itself', (t) => {
    const after = new Date(startedAt.getTime() + minuteMs);
    assert.deepEqual(found(withChanged(observed(verifiedNode(t)), 'client-ca-file', after)), []);
  });
});
