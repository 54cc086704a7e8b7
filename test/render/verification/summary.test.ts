import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Trouble } from '../../../src/operations/verification/check.ts';
import { nodeVerification, type CheckResult } from '../../../src/operations/verification/verification.ts';
import { verificationSummary } from '../../../src/render/verification/summary.ts';

function summary(...troubles: readonly Trouble[]): string {
  const results = troubles.map((trouble, index): CheckResult => ({
    ...{ id: `check-${String(index)}`, title: 'a check', flag: undefined, isJudged: true, looked: 1 },
    status: trouble.grade,
    troubles: [trouble],
  }));
  return verificationSummary([nodeVerification('', { results, rows: [] })]);
}

const wrong = {
  grade: 'error',
  name: 'ca',
  file: '/ca.crt',
  message: 'has ended',
  hint: 'renew it',
} as const;

function unasked(what: string, cause: string): Trouble {
  return {
    ...{ grade: 'unchecked', name: 'cluster', file: '/admin.conf', hint: 'start it', cause },
    message: `${what} cannot be judged: ${cause}`,
  };
}

describe('the summary of a verification', () => {
  test('says how the node is, then what is wrong, the worst first, each with its next step', () => {
    const note = { ...wrong, grade: 'note', message: 'is odd' } as const;
    assert.equal(
      summary(note, wrong),
      '1 error, 1 note; 2 checks of 0 certificates and CAs\n' +
        'ERROR  /ca.crt: has ended\n  renew it\n' +
        'NOTE  /ca.crt: is odd\n  renew it\n',
    );
  });

  test('says once why several checks could not be judged', () => {
    const said = summary(
      unasked('kubeadm-config', 'no answer'),
      wrong,
      unasked('cluster-info', 'no answer'),
      unasked('the CSRs', 'forbidden'),
    );
    assert.equal(
      said,
      '1 error, 3 things not checked; 4 checks of 0 certificates and CAs\n' +
        'ERROR  /ca.crt: has ended\n  renew it\n' +
        'NOT CHECKED  /admin.conf: 2 checks: no answer\n  start it\n' +
        'NOT CHECKED  /admin.conf: the CSRs cannot be judged: forbidden\n  start it\n',
    );
  });
});
