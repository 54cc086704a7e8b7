import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  expiringWithin,
  findingsOf,
  hasExpired,
  isDue,
  type ExpirationRow,
  nextSteps,
} from '../../../src/operations/expiration/expiration-report.ts';
import fc from '../../support/properties.ts';

const now = new Date('2027-01-01T00:00:00Z');
const after = (milliseconds: number): Date => new Date(now.getTime() + milliseconds);

describe('what is due', () => {
  test('the window belongs to it, a millisecond more does not', () => {
    const window = { now, withinMs: 3_600_000 };
    assert.equal(isDue(after(3_600_000), window), true);
    assert.equal(isDue(after(3_600_001), window), false);
    assert.equal(isDue(now, { now, withinMs: 1 }), true);
    assert.equal(isDue(after(-1), { now, withinMs: 1 }), true);
  });

  test('nothing left is expired, a millisecond is not', () => {
    assert.deepEqual([-1, 0, 1].map(hasExpired), [true, true, false]);
  });

  test('what has expired is due in any window, and a longer window finds no less', () => {
    const span = fc.integer({ min: -1e13, max: 1e13 });
    const window = fc.integer({ min: 1, max: 1e12 });
    fc.assert(
      fc.property(span, window, window, (residualMs, a, b) => {
        const due = (withinMs: number): boolean => isDue(after(residualMs), { now, withinMs });
        if (hasExpired(residualMs)) assert.ok(due(a));
        if (due(Math.min(a, b))) assert.ok(due(Math.max(a, b)));
        assert.equal(due(a), residualMs <= a);
      }),
    );
  });
});

const day = 86_400_000;

function row(
  name: string,
  days: number,
  { external = false, ca }: { external?: boolean; ca?: string } = {},
): ExpirationRow {
  const common = {
    status: 'present',
    name,
    notAfter: new Date(0),
    residualMs: days * day,
    faults: [],
    refused: false,
  } as const;
  return { ...common, externallyManaged: external, ...(ca !== undefined && { caName: ca }) };
}

test('what renews itself is due when it is late for that, within the window that is asked for', () => {
  const rotating = { ...row('kubelet-client', 20), kind: 'kubelet-client', marginMs: 18 * day } as const;
  const due = (days: number, windowDays: number): readonly string[] => {
    const additional = [{ ...rotating, residualMs: days * day }];
    const report = { certificates: [], certificateAuthorities: [], unlisted: [], additional };
    return expiringWithin(findingsOf(report), windowDays * day).map(({ name }) => name);
  };
  assert.deepEqual(due(20, 30), []);
  assert.deepEqual(due(18, 30), ['kubelet-client']);
  assert.deepEqual(due(10, 7), []);
  assert.deepEqual(due(7, 7), ['kubelet-client']);
});

const ca = row('ca', 3650);
const missing: ExpirationRow = { status: 'missing', name: 'etcd-peer' };

test('everything expired: all of it, whatever is missing', () => {
  const certificates = [row('admin.conf', -1, { ca: 'ca' }), row('apiserver', 0, { ca: 'ca' }), missing];
  const steps = nextSteps({ certificates, certificateAuthorities: [ca] });
  assert.deepEqual(steps, [{ names: ['all'], externally: false }]);
});

test('some of it: these', () => {
  const certificates = [row('admin.conf', -1, { ca: 'ca' }), row('apiserver', 1, { ca: 'ca' })];
  const steps = nextSteps({ certificates, certificateAuthorities: [ca] });
  assert.deepEqual(steps, [{ names: ['admin.conf'], externally: false }]);
});

test('what an external CA has signed is asked of it', () => {
  const certificates = [
    row('apiserver', -1, { ca: 'ca' }),
    row('front-proxy-client', -1, { ca: 'front-proxy-ca', external: true }),
  ];
  const steps = nextSteps({ certificates, certificateAuthorities: [ca, row('front-proxy-ca', 9)] });
  assert.deepEqual(steps, [
    { names: ['apiserver'], externally: false },
    { names: ['front-proxy-client'], externally: true },
  ]);
});

test('nothing has expired, or its CA has too: nothing', () => {
  const certificates = [row('apiserver', -1, { ca: 'ca' }), row('etcd-server', 1, { ca: 'etcd-ca' })];
  assert.deepEqual(nextSteps({ certificates, certificateAuthorities: [row('ca', -1)] }), []);
  assert.deepEqual(nextSteps({ certificates: [missing], certificateAuthorities: [ca] }), []);
});
