import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { conclude, type Conclusion } from '../../src/change/change-node.ts';
import type { ExitCode } from '../../src/terminal/exit-code.ts';
import { Interruptions } from '../../src/terminal/interruptions.ts';
import type { Terminal } from '../../src/terminal/terminal.ts';
import type { ChangeReport } from '../../src/operations/change/change-report.ts';
import type { Followed } from '../../src/operations/change/run-end.ts';
import { temporaryDirectory, type Cleanup } from '../support/tree.ts';

const notAfter = '2027-01-01T00:00:00Z';
const renewal: ChangeReport = {
  command: 'renew',
  dryRun: false,
  failed: false,
  backup: 'a',
  certificates: [
    {
      name: 'apiserver',
      outcome: 'renewed',
      components: ['kube-apiserver'],
      old: undefined,
      new: { serial: '1', fingerprint: 'F', notAfter },
      files: ['/a'],
    },
    { name: 'etcd-server', outcome: 'missing', components: ['etcd'], old: undefined, reason: 'none' },
  ],
  otherFiles: [],
};

interface Outcome {
  readonly code: ExitCode;
  /** What has happened, a line each. */
  readonly story: string;
}

async function concluded(
  t: Cleanup,
  { hook, restarted, report = renewal }: { hook: string; restarted: Followed; report?: ChangeReport },
): Promise<Outcome> {
  const file = join(temporaryDirectory(t), 'story');
  writeFileSync(file, '');
  const tell = (text: string | undefined): void => {
    appendFileSync(file, `${text ?? ''}\n`);
  };
  const terminal: Terminal = {
    stdoutColour: false,
    stderrColour: false,
    tableLook: () => undefined,
    isRead: false,
    interactive: false,
    quiet: false,
    record: tell,
    result: tell,
    warning: tell,
    note: tell,
    banner: tell,
    hint: tell,
    error: ({ oneLine }) => {
      tell(oneLine);
    },
    progress: () => ({ update: () => undefined, end: () => undefined }),
    interruptions: new Interruptions(),
  };
  const conclusion: Conclusion = {
    kind: 'finished',
    asked: { named: true },
    report,
    text: 'result',
    remarks: () => {
      tell('remark');
    },
  };
  const options = { output: 'text', deployHook: `echo hook >> '${file}'; ${hook}` } as const;
  const code = await conclude(conclusion, { flags: [] }, options, terminal, {
    restart: () => {
      tell('restart');
      return Promise.resolve(restarted);
    },
  });
  return { code, story: readFileSync(file, 'utf8') };
}

describe('after a change', () => {
  test('first the result, then the restart, then the hook', async (t) => {
    assert.deepEqual(await concluded(t, { hook: 'exit 0', restarted: 'well' }), {
      code: 6,
      story:
        'result\nremark\n' +
        'renewed 1 certificate, which ends Jan 01, 2027 00:00 UTC; backup a\n' +
        'restart kube-apiserver to use the new certificates\nkubepki restart kube-apiserver\n' +
        'restart\nhook\n',
    });
  });

  test('a failed hook is exit 8', async (t) => {
    const { code, story } = await concluded(t, { hook: 'exit 1', restarted: 'well' });
    assert.equal(code, 8);
    assert.match(story, /hook\nthe deploy hook ended with exit status 1\n$/);
  });

  for (const [restarted, expected] of [
    ['failed', 8],
    ['unfinished', 9],
  ] as const) {
    test(`a restart that ended ${restarted} is the exit code, and the hook runs all the same`, async (t) => {
      const { code, story } = await concluded(t, { hook: 'exit 1', restarted });
      assert.equal(code, expected);
      assert.match(story, /restart\nhook\n/);
    });
  }

  test('a dry run is followed by nothing', async (t) => {
    const report = { ...renewal, dryRun: true };
    const { code, story } = await concluded(t, { hook: 'exit 1', restarted: 'failed', report });
    assert.deepEqual([code, story], [6, 'result\nremark\n']);
  });
});
