import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './tree.ts';

const reporter = fileURLToPath(new URL('reporter.mjs', import.meta.url));

/** What node's runner prints of these files with our reporter. */
function reported(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  { env = {}, timeout = 60_000 }: { readonly env?: Record<string, string>; readonly timeout?: number } = {},
): { readonly code: number | null; readonly text: string } {
  const cwd = temporaryDirectory(t);
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(
      join(cwd, name),
      `import test from 'node:test'; import assert from 'node:assert/strict';\n${text}`,
    );
  }
  const options = [`--test-reporter=${reporter}`, '--test-reporter-destination=stdout'];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--test', `--test-timeout=${String(timeout)}`, ...options, ...Object.keys(files)],
    // Without the environment of the runner that this test runs in.
    { cwd, encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } },
  );
  assert.equal(stderr, '');
  return { code: status, text: stdout.replaceAll(cwd, 'HERE') };
}

describe('npm test', () => {
  test('prints one line when all is well', (t) => {
    const files = {
      'a.mjs': `console.log('said'); test('one', () => {});`,
      'b.mjs': `test('two', async () => {});`,
    };
    assert.deepEqual(reported(t, files), { code: 0, text: '\n2 passed, 0 failed, 0 skipped\n' });
  });

  test('a failure has its name, its line, the difference, and what the file has printed', (t) => {
    const body = `test.describe('a suite', () => {
  test('differs', () => {
    console.log('on stdout');
    console.error('on stderr');
    assert.deepEqual({ a: 1 }, { a: 2 });
  });
  test('outer', async (t) => { await t.test('inner', () => { throw new Error('why', { cause: new Error('because') }); }); });
  test('passes', () => {});
});`;
    const { code, text } = reported(t, {
      'a.mjs': body,
      'b.mjs': `console.log('not asked'); test('b', () => {});`,
    });
    assert.equal(code, 1);
    assert.equal(
      text,
      `
FAILED a.mjs:3 a suite > differs
  AssertionError [ERR_ASSERTION]: Expected values to be strictly deep-equal:
  + actual - expected

    {
  +   a: 1
  -   a: 2
    }
      at TestContext.<anonymous> (file://HERE/a.mjs:6:12)

FAILED a.mjs:8 a suite > outer > inner
  Error: why
      at TestContext.<anonymous> (file://HERE/a.mjs:8:68)
    [cause]: Error: because
        at TestContext.<anonymous> (file://HERE/a.mjs:8:94)
        at TestContext.<anonymous> (file://HERE/a.mjs:8:40)
  }

a.mjs printed
  on stdout
  on stderr

FAILED a.mjs:3 a suite > differs
FAILED a.mjs:8 a suite > outer > inner

2 passed, 2 failed, 0 skipped
`,
    );
  });

  test('a file that ends before its tests have, or has none, has failed', (t) => {
    const files = {
      'crash.mjs': `test('one', () => {}); test('two', async () => { setTimeout(() => process.exit(3), 200); await new Promise(() => {}); });`,
      'killed.mjs': `test('three', async () => { setTimeout(() => process.kill(process.pid, 'SIGKILL'), 200); await new Promise(() => {}); });`,
      'none.mjs': '',
      'thrown.mjs': `test('four', () => {}); throw new Error('at the top');`,
    };
    const { code, text } = reported(t, files);
    assert.equal(code, 1);
    assert.match(text, /^FAILED crash\.mjs\n {2}its process ended with exit code 3\n {2}during: two\n$/m);
    assert.match(
      text,
      /^FAILED killed\.mjs\n {2}its process ended with signal SIGKILL\n {2}during: three\n$/m,
    );
    assert.match(text, /^FAILED none\.mjs\n {2}there is no test in it\n$/m);
    assert.match(text, /^FAILED thrown\.mjs\n {2}its process ended with exit code \d+\n/m);
    assert.match(text, /^thrown\.mjs printed\n[^]*Error: at the top$/m);
    assert.match(text, /\n\n1 passed, 4 failed, 0 skipped\n$/);
  });

  test('so has one that takes too long', (t) => {
    const files = { 'a.mjs': `test('waits', () => new Promise(() => setInterval(() => {}, 1000)));` };
    const { code, text } = reported(t, files, { timeout: 2000 });
    assert.equal(code, 1);
    assert.match(text, /^FAILED a\.mjs(?::2 waits)?\n {2}test timed out after 2000ms$/m);
    assert.match(text, /\n\n0 passed, 1 failed, 0 skipped\n$/);
  });

  test('what was skipped is a line for each reason, and a failure where nothing may be', (t) => {
    const skip = (name: string, reason: string): string => `test('${name}', (t) => t.skip('${reason}'));\n`;
    const files = {
      'a.mjs': skip('one', 'etcd is not installed') + skip('two', 'etcd is not installed'),
      'b.mjs': `${skip('three', 'needs root')} test('to do', { todo: true }, () => {});`,
    };
    const lines =
      'skipped 2: etcd is not installed\nskipped 1: needs root\nskipped 1: no reason is given (to do)\n';
    assert.deepEqual(reported(t, files), { code: 0, text: `\n${lines}\n0 passed, 0 failed, 4 skipped\n` });
    assert.deepEqual(reported(t, files, { env: { CI: 'true' } }), {
      code: 1,
      text: `\n${lines}nothing may be skipped here (CI is set)\n\n0 passed, 0 failed, 4 skipped\n`,
    });
  });

  test('the long suites say how much they have tried', (t) => {
    const files = { 'a.mjs': `test('one', (t) => t.diagnostic('40 power cuts'));` };
    const { text } = reported(t, files, { env: { FAULTS: 'all' } });
    assert.equal(text, 'a.mjs: 40 power cuts\n\n1 passed, 0 failed, 0 skipped\n');
  });
});
