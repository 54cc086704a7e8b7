import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RowKind } from '../../../src/operations/expiration/expiration-report.ts';
import { judgedAnew, type PrintedCheck } from '../../../src/operations/gathered/judged-anew.ts';
import type { PrintedCertificate } from '../../../src/operations/gathered/printed-certificate.ts';
import type { Trouble } from '../../../src/operations/verification/check.ts';

const dayMs = 24 * 3_600_000;
const then = new Date('2027-01-01T00:00:00Z');

function after(days: number): Date {
  return new Date(then.getTime() + days * dayMs);
}

function certificate(kind: RowKind, name: string, endsAfter: number, beginsAfter = -100): PrintedCertificate {
  return {
    ...{ kind, name, file: `/pki/${name}`, caName: undefined, user: undefined },
    held: {
      status: 'present',
      notAfter: after(endsAfter),
      facts: { notBefore: after(beginsAfter), serialNumber: '1', subject: new Map(), issuer: new Map() },
      ...{ externallyManaged: false, faults: [], refused: false, renewsItself: true },
    },
  };
}

function check(id: string, troubles: readonly Trouble[] = []): PrintedCheck {
  return { id, title: id, looked: 1, status: troubles[0]?.grade ?? 'passed', troubles };
}

/** @returns for each check with a trouble its id, and the grade and the message of the first */
function told(
  days: number,
  certificates: readonly PrintedCertificate[],
  checks: readonly PrintedCheck[] = [],
  withinDays = 30,
): string[] {
  const moment = { now: after(days), then, withinMs: withinDays * dayMs };
  return judgedAnew({ checks, certificates, error: undefined }, moment).flatMap(({ id, troubles }) =>
    troubles.map(({ grade, name, message }) => `${id} ${grade} ${name}: ${message}`),
  );
}

describe('a document that is read later', () => {
  test('tells the same at its own moment', () => {
    const wrong = {
      grade: 'error',
      name: 'apiserver',
      file: '/pki/apiserver',
      message: 'expired on …',
    } as const;
    const checks = [check('expired', [wrong]), check('modes')];
    assert.deepEqual(told(0, [certificate('certificate', 'apiserver', -1)], checks), [
      'expired error apiserver: expired on …',
    ]);
  });

  for (const [kind, expected] of [
    ['certificate', 'expired error x: expired on'],
    ['etcd-client', 'expired error x: expired on'],
    ['authority', 'ca-expired error x: the CA expired on'],
    ['ca', 'block-expired warning x: holds a certificate that expired on'],
    ['kubelet-conf', "kubelet-kubeconfig error x: the kubelet's client certificate expired on"],
    ['kubelet-client', "kubelet-kubeconfig error kubelet: the kubelet's client certificate expired on"],
    ['kubelet-serving', "kubelet-serving error kubelet: the kubelet's serving certificate expired on"],
    ['kubeconfig', 'admin-copy error x: holds a certificate that expired on'],
    ['endpoint', 'live-valid error x: serves a certificate that expired on'],
  ] as const) {
    test(`says what has ended since: ${kind}`, () => {
      const [check] = expected.split(' ');
      assert.ok(check);
      const certificates = [certificate(kind, 'x', 10)];
      assert.deepEqual(
        told(10, certificates, [], 0.001).filter((one) => one.includes('expired')),
        [],
      );
      assert.deepEqual(told(10.5, certificates), [`${expected} 2027-01-11T00:00:00Z`]);
      // It had ended before, and that node has said what there is to say.
      assert.deepEqual(told(10.5, [certificate(kind, 'x', -1)]), []);
    });
  }

  test('judges anew what ends soon', () => {
    const soon = { grade: 'warning', name: 'apiserver', file: '/pki/apiserver', message: 'in 29d' } as const;
    const checks = [check('ends-soon', [{ ...soon, hint: 'as it was' }])];
    const certificates = [
      certificate('certificate', 'apiserver', 29),
      certificate('certificate', 'etcd-peer', 40),
    ];
    assert.deepEqual(told(15, certificates, checks), [
      'ends-soon warning apiserver: ends on 2027-01-30T00:00:00Z, in 14d',
      'ends-soon warning etcd-peer: ends on 2027-02-10T00:00:00Z, in 25d',
    ]);
    assert.deepEqual(told(0, certificates, checks, 7), []);
    assert.deepEqual(told(30, certificates, [...checks, check('expired')], 7), [
      'expired error apiserver: expired on 2027-01-30T00:00:00Z',
    ]);
  });

  test('takes back what has begun since', () => {
    const early = { grade: 'error', name: 'apiserver', file: '/pki/apiserver', message: 'not yet' } as const;
    const checks = [check('not-yet-valid', [early])];
    const certificates = [certificate('certificate', 'apiserver', 300, 1)];
    assert.equal(told(0, certificates, checks).length, 1);
    assert.deepEqual(told(1, certificates, checks), []);
  });

  test('warns of a CA and of a rotation when their time has come', () => {
    const certificates = [
      certificate('authority', 'ca', 731),
      certificate('kubelet-client', 'kubelet-client', 50),
    ];
    assert.deepEqual(told(0, certificates), []);
    assert.deepEqual(
      told(45, certificates).map((one) => one.split(':')[0]),
      ['ca-ends warning ca', 'kubelet-client warning kubelet'],
    );
  });

  test('never takes an error of that node for told by a lesser one', () => {
    const late = { grade: 'warning', name: 'kubelet', file: '/pki/x', message: 'late' } as const;
    const checks = [check('kubelet-serving', [late])];
    assert.equal(told(11, [certificate('kubelet-serving', 'x', 10)], checks).length, 2);
  });
});
