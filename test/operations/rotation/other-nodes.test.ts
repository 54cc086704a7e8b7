/** What a stage believes of what other nodes have sent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CaName } from '../../../src/catalog/catalog.ts';
import { conditionsOf, type Condition } from '../../../src/operations/rotation/conditions.ts';
import type { RotationPlan } from '../../../src/operations/rotation/plan.ts';
import type { ClusterStatus, NodeStatus } from '../../../src/operations/rotation/status.ts';

const now = new Date('2026-11-30T12:00:00Z');
const rotation: RotationPlan = {
  ...{ id: '0123456789abcdef', createdAt: '2026-11-30T00:00:00Z', authorities: [], accepted: [] },
};
const unmeasured = { status: 'unmeasured', why: 'of no interest' } as const;

const cluster: ClusterStatus = {
  ...{ rootCas: unmeasured, clientCas: unmeasured, headerCas: unmeasured, clusterInfo: unmeasured },
  ...{ unavailable: unmeasured, signer: unmeasured, oldPods: unmeasured },
  nodes: {
    status: 'measured',
    value: [
      { name: 'cp-1', isControlPlane: true, isReady: true },
      { name: 'cp-2', isControlPlane: true, isReady: true },
      { name: 'worker-1', isControlPlane: false, isReady: true },
    ],
  },
};

function statusOf(node: string, wish: Partial<NodeStatus> = {}): NodeStatus {
  return {
    node,
    role: node.startsWith('cp') ? 'control-plane' : 'worker',
    at: now,
    rotation,
    authorities: [{ name: 'ca', reached: 'at', first: 'switch', last: 'switch', files: [] }],
    ...{ running: unmeasured, servers: unmeasured, cluster: { status: 'measured', value: cluster } },
    ...wish,
  };
}

function judged(
  name: Condition['name'],
  others: readonly NodeStatus[],
  authorities: CaName[] = ['ca'],
): Condition['outcome'] {
  const known = { now, nodes: [statusOf('cp-1'), ...others] as const, authorities, faults: [], accepted: [] };
  const found = conditionsOf('distrust', known).find((one) => one.name === name);
  assert.ok(found);
  return found.outcome;
}

test('every node that is at the stage has said so', () => {
  assert.deepEqual(judged('nodes', [statusOf('cp-2'), statusOf('worker-1')]), { kind: 'met' });
});

test('one bad word is enough', () => {
  const hour = 3_600_000;
  for (const [wish, reason] of [
    [{ role: 'worker' }, 'cp-2: says that it is a worker, and is a control plane'],
    [{ authorities: [] }, 'cp-2: says nothing of ca'],
    [{ rotation: undefined }, 'cp-2: knows of no rotation'],
    [
      { rotation: { ...rotation, id: 'fedcba9876543210' } },
      'cp-2: is in another rotation (fedcba9876543210)',
    ],
    [{ at: new Date(now.getTime() - hour - 1) }, 'cp-2: its status is of 2026-11-30T10:59:59.999Z'],
    [{ at: new Date(now.getTime() + hour + 1) }, 'cp-2: its status is of 2026-11-30T13:00:00.001Z'],
  ] as const) {
    const outcome = judged('nodes', [statusOf('cp-2', wish), statusOf('worker-1'), statusOf('cp-2')]);
    assert.deepEqual(outcome, { kind: 'unmet', reasons: [reason] });
  }
  assert.deepEqual(judged('nodes', [statusOf('cp-2'), statusOf('worker-1', { authorities: [] })]), {
    kind: 'unmet',
    reasons: ['worker-1: says nothing of ca'],
  });
});

test("copies of etcd's client certificates are told of before they are refused", () => {
  assert.equal(judged('issued-clients', [], ['etcd-ca']).kind, 'unmeasured');
  assert.equal(judged('issued-clients', [], ['front-proxy-ca']).kind, 'met');
});
