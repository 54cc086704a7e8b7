import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CertificateFacts } from '../../../src/changeset/change-set.ts';
import type { ErrorCode } from '../../../src/errors/error.ts';
import type {
  CertificateReport,
  ChangeCommand,
  ChangeReport,
} from '../../../src/operations/change/change-report.ts';
import { runEnd, type Asked, type Followed } from '../../../src/operations/change/run-end.ts';
import { exitCodeOf, exitCodes, type ExitCode } from '../../../src/terminal/exit-code.ts';

const now = new Date('2027-01-01T00:00:00Z');

type Outcome = CertificateReport['outcome'];

const changed = [
  ...(['renewed', 'installed', 'in-place', 'generated'] as const),
  ...(['rolled-back', 'requested', 'prepared', 'rotated'] as const),
];
const isChanged = (outcome: Outcome): outcome is (typeof changed)[number] =>
  changed.some((one) => one === outcome);

function certificate(outcome: Outcome, notAfter = '2028-01-01T00:00:00Z'): CertificateReport {
  const old: CertificateFacts = { serial: '01', fingerprint: 'FF', notAfter };
  const common = { name: 'apiserver', components: [], old };
  return isChanged(outcome)
    ? { ...common, outcome, new: old, files: ['/a'] }
    : { ...common, outcome, reason: 'so it is' };
}

interface Run {
  readonly command?: ChangeCommand;
  readonly outcomes: readonly (Outcome | CertificateReport)[];
  readonly failed?: boolean;
  readonly dryRun?: boolean;
  readonly asked?: Asked;
  readonly followed?: Followed;
}

function codeOf({
  command = 'renew',
  outcomes,
  failed = false,
  dryRun = false,
  asked,
  followed,
}: Run): ExitCode {
  const report: ChangeReport = {
    command,
    dryRun,
    failed,
    backup: undefined,
    certificates: outcomes.map((one) => (typeof one === 'string' ? certificate(one) : one)),
    otherFiles: [],
  };
  return exitCodes[runEnd(report, asked, followed)];
}

const named: Asked = { named: true };
const all: Asked = { named: false };
const clean = { now, faulty: false, staysDue: false };
const within: Asked = { named: false, within: clean };

/** A row of the table of exit codes each, in its order. */
const table: readonly (readonly [code: ExitCode, what: string, runs: readonly Run[]])[] = [
  [
    0,
    'done, or nothing to do',
    [
      { outcomes: ['renewed', 'renewed'], asked: named },
      { outcomes: ['renewed'], asked: within },
      { outcomes: [], asked: all },
      { outcomes: ['not-due', 'ca-ends-first', 'same-sans'], asked: named },
      { outcomes: ['not-due', 'missing'], asked: within },
    ],
  ],
  [
    0,
    "kubeadm's: what is missing or externally managed in `renew all`",
    [
      { outcomes: ['renewed', 'missing', 'external-ca'], asked: all },
      { outcomes: ['missing'], asked: all, command: 'renew --csr-only' },
    ],
  ],
  [
    0,
    'a request that waits is what --csr-only is for',
    [{ outcomes: ['requested', 'pending'], asked: named, command: 'renew --csr-only' }],
  ],
  [
    0,
    'what is there already is generated and rolled back',
    [
      { outcomes: ['existing', 'keyless', 'left-out', 'unmanaged'], command: 'generate' },
      { outcomes: ['requested'], command: 'generate-csr' },
      { outcomes: ['unchanged'], command: 'rollback' },
    ],
  ],
  [
    0,
    'something was installed, and all that was named',
    [
      { outcomes: ['installed', 'pending'], asked: all, command: 'install' },
      { outcomes: ['installed', 'in-place'], asked: named, command: 'install' },
    ],
  ],
  [
    1,
    'an error: nothing was changed, whatever else there is to say',
    [
      { outcomes: ['refused', 'unchanged', 'missing', 'unsound'], failed: true, asked: named },
      { outcomes: ['refused'], failed: true, dryRun: true, asked: all },
      { outcomes: ['unchanged'], failed: true, asked: all, command: 'install' },
      { outcomes: ['pending'], failed: true, asked: named },
    ],
  ],
  [
    4,
    'something expires within the window, and was not renewed',
    [
      { outcomes: ['renewed', 'external-ca'], asked: within },
      { outcomes: ['renewed'], asked: { named: false, within: { ...clean, staysDue: true } } },
      { outcomes: ['ca-ends-first'], asked: { named: true, within: { ...clean, staysDue: true } } },
    ],
  ],
  [
    5,
    'something is expired or wrong, and --within leaves it as it is',
    [
      { outcomes: [certificate('external-ca', '2027-01-01T00:00:00Z')], asked: within },
      { outcomes: ['renewed', 'unsound'], asked: within },
      { outcomes: ['unsound', 'missing'], asked: { named: true, within: clean } },
      { outcomes: ['unsound'], asked: all, command: 'renew --csr-only' },
      { outcomes: ['renewed'], asked: { named: false, within: { ...clean, faulty: true } } },
      { outcomes: ['missing'], asked: { named: true, within: { ...clean, faulty: true } } },
    ],
  ],
  [
    6,
    'a certificate that was named was not renewed',
    [
      { outcomes: ['renewed', 'missing'], asked: named },
      { outcomes: ['renewed', 'missing'], asked: named, dryRun: true },
      { outcomes: ['external-ca'], asked: named },
      {
        outcomes: ['external-ca'],
        asked: { named: true, within: { ...clean, staysDue: true } },
      },
      { outcomes: ['requested', 'missing'], asked: named, command: 'renew --csr-only' },
      { outcomes: ['installed', 'pending'], asked: named, command: 'install' },
      { outcomes: ['installed', 'idle'], asked: named, command: 'install' },
    ],
  ],
  [
    6,
    'a copy of admin.conf that was named stays as it is',
    [
      { outcomes: ['renewed'], asked: { named: false, leftAny: true } },
      { outcomes: ['not-due'], asked: { named: true, leftAny: true, within: clean } },
      { outcomes: ['renewed', 'missing'], asked: { named: false, leftAny: true } },
    ],
  ],
  [
    6,
    '`install` had nothing to install',
    [
      { outcomes: [], asked: all, command: 'install' },
      { outcomes: ['pending'], asked: all, command: 'install' },
    ],
  ],
  [
    8,
    'the change stands, and what was to follow it failed',
    [
      { outcomes: ['renewed'], asked: all, followed: 'failed' },
      { outcomes: ['renewed', 'missing'], asked: named, followed: 'failed' },
    ],
  ],
  [9, 'what was to follow stopped half-way', [{ outcomes: ['renewed'], asked: all, followed: 'unfinished' }]],
];

describe('the exit code of a run that changes something', () => {
  for (const [code, what, runs] of table) {
    test(`${String(code)}: ${what}`, () => {
      for (const run of runs) assert.equal(codeOf(run), code, JSON.stringify(run));
    });
  }
});

/** The rest of the table: what is thrown, and signals. */
const errors: readonly (readonly [ExitCode, readonly ErrorCode[]])[] = [
  [1, ['usage', 'not-found', 'no-permission', 'conflict', 'io', 'verification', 'cluster']],
  [3, ['bad-config', 'unsupported-config']],
  [7, ['busy']],
  [8, ['not-restarted']],
  [9, ['unfinished']],
];

describe('the exit code of an error', () => {
  for (const [code, thrown] of errors) {
    test(`${String(code)}: ${thrown.join(', ')}`, () => {
      for (const one of thrown) assert.equal(exitCodeOf(one), code, one);
    });
  }

  test('130 and 143: interrupted', () => {
    assert.deepEqual([exitCodes.interrupted, exitCodes.terminated], [130, 143]);
  });
});
