import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  conditionsOf,
  conditionsOfPrepare,
  type Known,
} from '../../../src/operations/rotation/conditions.ts';
import { refusals } from '../../../src/operations/rotation/refusals.ts';

const server = '192.0.2.10:6443';
const at = (
  count: number | undefined,
  startedAt = '1.7e+09',
): { count: typeof count; startedAt: string } => ({
  count,
  startedAt,
});

describe('whom API servers refuse', () => {
  test('is nobody where no count has grown', () => {
    assert.deepEqual(refusals([{ server, first: at(5), second: at(5) }], 12_000), []);
  });

  test('is somebody where one has', () => {
    const found = refusals(
      [
        { server, first: at(5), second: at(6) },
        { server: 'b', first: at(0), second: at(4) },
      ],
      12_000,
    );
    assert.deepEqual(found, [
      {
        kind: 'unmet',
        reason: `the API server at ${server} has refused a request within 12 s (401); its log says of each why`,
      },
      {
        kind: 'unmet',
        reason: 'the API server at b has refused 4 requests within 12 s (401); its log says of each why',
      },
    ]);
  });

  test('is not known of one that does not count, does not answer, or was started anew', () => {
    const found = refusals(
      [
        { server: 'a', first: at(undefined), second: at(undefined) },
        { server: 'b', first: at(1), second: { why: 'it does not answer' } },
        { server: 'c', first: at(1), second: at(2, '1.8e+09') },
        { server: 'd', first: at(3), second: at(1) },
      ],
      12_000,
    );
    assert.deepEqual(
      found.map(({ kind, reason }) => [kind, reason.replace('the API server at ', '')]),
      [
        ['unmeasured', 'a: its metrics do not count whom it refuses'],
        ['unmeasured', 'b: it does not answer'],
        ['unmeasured', 'c: it was restarted meanwhile'],
        ['unmeasured', 'd: it was restarted meanwhile'],
      ],
    );
    assert.equal(refusals([], 12_000)[0]?.kind, 'unmeasured');
  });
});

describe('the conditions', () => {
  const why = 'it was not asked';
  const known: Known = {
    now: new Date('2026-11-29T12:00:00Z'),
    nodes: [
      {
        ...{ node: 'cp-1', role: 'control-plane', at: new Date('2026-11-29T12:00:00Z') },
        ...{ rotation: undefined, authorities: [] },
        running: { status: 'unmeasured', why },
        servers: { status: 'unmeasured', why },
        cluster: { status: 'unmeasured', why },
      },
    ],
    ...{ authorities: ['ca'], faults: [], accepted: [] },
  };
  const outcome = (more: Partial<Known>): string | undefined =>
    conditionsOf('finish', { ...known, ...more }).find(({ name }) => name === 'unauthorized')?.outcome.kind;

  test('finish waits until nobody is refused, which is not met by itself', () => {
    assert.equal(outcome({}), 'unmeasured');
    assert.equal(outcome({ refusals: [] }), 'met');
    const found = refusals([{ server, first: at(5), second: at(6) }], 12_000);
    assert.equal(outcome({ refusals: found }), 'unmet');
    assert.equal(outcome({ refusals: found, accepted: ['unauthorized'] }), 'accepted');
    // Whom an API server knows by the cluster's CA has nothing to do with the others.
    assert.equal(outcome({ authorities: ['etcd-ca'] }), 'met');
  });

  test('prepare waits for etcd', () => {
    const outcomes = (...args: Parameters<typeof conditionsOfPrepare>): string[] =>
      conditionsOfPrepare(...args).map(({ name, outcome: { kind } }) => `${name} ${kind}`);
    assert.deepEqual(outcomes(undefined, []), ['etcd-quorum met']);
    assert.deepEqual(outcomes({ kind: 'unmet', reason: '' }, []), ['etcd-quorum unmet']);
    assert.deepEqual(outcomes({ kind: 'unmeasured', reason: '' }, ['etcd-quorum']), ['etcd-quorum accepted']);
  });
});
