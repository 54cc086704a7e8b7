import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TokenApiServer, TokenCluster } from '../../../src/operations/token-key/cluster.ts';
import {
  finishConditions,
  goneConditions,
  isSettled,
  switchConditions,
  trustConditions,
  type Condition,
} from '../../../src/operations/token-key/conditions.ts';
import { keyId } from '../../../src/pki/key/public-key.ts';
import { publicKeyOf } from '../../../src/pki/key/private-key.ts';
import { answered } from '../../support/planners/verified-cluster.ts';
import { keys } from '../../support/planners/token-keys.ts';

const now = new Date('2026-12-01T00:00:00Z');
const before = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000);
const silent = { status: 'unasked', why: 'no answer', hint: undefined } as const;

const server = (index: number, wishes: Partial<TokenApiServer> = {}): TokenApiServer => ({
  host: `192.0.2.${String(index)}`,
  port: 6443,
  known: answered(['new', 'old']),
  signing: answered('new'),
  metrics: answered({ staleTokens: 0, startedAt: before(30) }),
  ...wishes,
});

const manager = (index: number, hours = 29): object => ({
  node: `cp-${String(index)}`,
  host: `192.0.2.${String(index)}`,
  startedAt: before(hours),
  apiServerStartedAt: before(30),
});

const clusterWith = (wishes: Partial<Record<keyof TokenCluster, unknown>> = {}): TokenCluster =>
  ({
    apiServers: answered([server(1), server(2)]),
    controllerManagers: answered([manager(1), manager(2)]),
    secrets: answered([
      { namespace: 'default', name: 'a', keyId: 'new' },
      { namespace: 'default', name: 'b', keyId: undefined },
    ]),
    ...wishes,
  }) as TokenCluster;

const servers = (...all: readonly TokenApiServer[]): TokenCluster =>
  clusterWith({ apiServers: answered(all) });

const statesOf = (conditions: readonly Condition[]): Readonly<Record<string, string>> =>
  Object.fromEntries(conditions.map(({ name, state }) => [name, state]));

const finish = (cluster: TokenCluster | undefined): Readonly<Record<string, string>> =>
  statesOf(finishConditions({ cluster, now }, 'new', 'old'));

const well = {
  'api-servers': 'met',
  signers: 'met',
  'controller-managers': 'met',
  secrets: 'met',
  'refreshed-tokens': 'met',
  'stale-tokens': 'met',
  'extended-tokens': 'unknown',
};

describe('switch', () => {
  for (const [what, cluster, expected] of [
    ['every API server knows the key', servers(server(1), server(2)), 'met'],
    ['one does not', servers(server(1), server(2, { known: answered(['old']) })), 'unmet'],
    [
      'one does not, another is silent',
      servers(server(1, { known: silent }), server(2, { known: answered(['old']) })),
      'unmet',
    ],
    ['one is silent', servers(server(1), server(2, { known: silent })), 'unknown'],
    ['none is known of', servers(), 'unknown'],
    ['the cluster is silent', clusterWith({ apiServers: silent }), 'unknown'],
    ['the cluster was not asked', undefined, 'unknown'],
  ] as const) {
    test(`${what}: ${expected}`, () => {
      assert.deepEqual(statesOf(switchConditions({ cluster, now }, 'new')), { 'api-servers': expected });
    });
  }

  test('the word of an operator stands for what could not be measured, and for nothing that was', () => {
    const [unknown] = switchConditions({ cluster: undefined, now }, 'new');
    const [unmet] = switchConditions({ cluster: servers(server(1, { known: answered([]) })), now }, 'new');
    assert.ok(unknown && unmet);
    assert.deepEqual(
      [unknown, unmet].map((one) => [
        isSettled(one, []),
        isSettled(one, ['api-servers']),
        isSettled(one, ['signers']),
      ]),
      [
        [false, true, false],
        [false, false, false],
      ],
    );
  });
});

describe('trust', () => {
  const [A, B] = [publicKeyOf(keys.A), publicKeyOf(keys.B)];
  const state = { known: [A], next: undefined };
  const knowing = (...known: readonly string[]): TokenCluster =>
    servers(server(1, { known: answered(known) }));
  for (const [what, cluster, brought, expected] of [
    ['no API server knows another key', knowing(keyId(A)), undefined, { 'one-key': 'met' }],
    ['one does', knowing(keyId(A), keyId(B)), undefined, { 'one-key': 'unmet' }],
    ['it is the one that was brought', knowing(keyId(A), keyId(B)), B, { 'one-key': 'met' }],
    ['it cannot be told, which harms nobody', undefined, undefined, {}],
  ] as const) {
    test(what, () => {
      assert.deepEqual(statesOf(trustConditions({ cluster, now }, state, brought)), expected);
    });
  }
});

describe('finish', () => {
  const late = { metrics: answered({ staleTokens: 0, startedAt: before(2) }) };
  for (const [what, cluster, expected] of [
    ['all is well, but for what nobody can know', clusterWith(), {}],
    [
      'an API server signs with the old key',
      servers(server(1), server(2, { signing: answered('old') })),
      { signers: 'unmet', 'refreshed-tokens': 'unknown' },
    ],
    [
      'an API server does not say',
      servers(server(1), server(2, { signing: silent })),
      { signers: 'unknown', 'refreshed-tokens': 'unknown' },
    ],
    [
      'an API server does not know the new key',
      servers(server(1, { known: answered(['old']) })),
      { 'api-servers': 'unmet' },
    ],
    ['one started two hours ago', servers(server(1), server(2, late)), { 'refreshed-tokens': 'unmet' }],
    ['that one has finished', servers(server(1), server(2, { ...late, known: answered(['new']) })), {}],
    [
      'one has no metrics',
      servers(server(1), server(2, { metrics: silent })),
      { 'refreshed-tokens': 'unknown', 'stale-tokens': 'unknown' },
    ],
    [
      'one does not count',
      servers(server(1, { metrics: answered({ staleTokens: undefined, startedAt: before(30) }) })),
      { 'stale-tokens': 'unknown' },
    ],
    [
      'a stale token was shown',
      servers(server(1, { metrics: answered({ staleTokens: 1, startedAt: before(30) }) })),
      { 'stale-tokens': 'unmet' },
    ],
    [
      'more than a year ago',
      servers(server(1, { metrics: answered({ staleTokens: 0, startedAt: before(366 * 24) }) })),
      { 'extended-tokens': 'met' },
    ],
    [
      'a controller manager is older than its API server',
      clusterWith({ controllerManagers: answered([manager(1), manager(2, 31)]) }),
      { 'controller-managers': 'unknown' },
    ],
    [
      'whose node has finished',
      clusterWith({
        apiServers: answered([server(1), server(2, { known: answered(['new']) })]),
        controllerManagers: answered([manager(1), manager(2, 31)]),
      }),
      {},
    ],
    [
      'no controller manager is seen',
      clusterWith({ controllerManagers: answered([]) }),
      { 'controller-managers': 'unknown' },
    ],
    [
      'a Secret has an old token',
      clusterWith({ secrets: answered([{ namespace: 'default', name: 'a', keyId: 'old' }]) }),
      { secrets: 'unmet' },
    ],
    ['Secrets may not be read', clusterWith({ secrets: silent }), { secrets: 'unknown' }],
    [
      'the cluster was not asked',
      undefined,
      Object.fromEntries(Object.keys(well).map((name) => [name, 'unknown'])),
    ],
  ] as const) {
    test(`${what}: ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(finish(cluster), { ...well, ...expected });
    });
  }
});

test('the old key is destroyed where no API server knows it any more', () => {
  const states = [
    servers(server(1, { known: answered(['new']) })),
    servers(server(1, { known: answered(['new']) }), server(2)),
    servers(server(1, { known: silent })),
  ].map((cluster) => statesOf(goneConditions({ cluster, now }, 'old')));
  assert.deepEqual(states, [
    { 'api-servers': 'met' },
    { 'api-servers': 'unmet' },
    { 'api-servers': 'unknown' },
  ]);
});
