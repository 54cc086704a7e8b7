/**
 * `npm test`: every test/**\/*.test.ts on node's own runner. Arguments select files by a part of their path
 * (`npm test -- kubeconfig`); arguments that begin with a dash go to the runner (`npm test -- --test-name-pattern=ECDSA`).
 */
import './build.mjs';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
const options = args.filter((arg) => arg.startsWith('-'));
const wanted = args.filter((arg) => !arg.startsWith('-'));

// For a file of tests. What is asked to take long may.
const timeoutMs = process.env.FUZZ ? 2 ** 31 - 1 : process.env.FAULTS === 'all' ? 3_600_000 : 300_000;

const files = readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
  .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
  .filter((file) =>
    // The executables' own are only there when they were asked for: `npm run build:standalone`.
    wanted.length === 0 ? !file.startsWith('test/standalone/') : wanted.some((part) => file.includes(part)),
  )
  .sort();

if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' or ')}`);
  process.exit(1);
}

const scratch = mkdtempSync(join(tmpdir(), 'kubepki-run-'));
try {
  process.exitCode = run(join(scratch, 'skipped'));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function run(skippedFile) {
  const { status, signal } = spawnSync(
    process.execPath,
    [
      '--import',
      'tsx',
      '--test',
      // One more than there are cores: a good part of the tests waits, for a probe, a retry, or the kubelet to look.
      `--test-concurrency=${String(availableParallelism() + 1)}`,
      `--test-timeout=${String(timeoutMs)}`,
      // A log is read by programs too, and they know TAP's closing lines.
      `--test-reporter=${process.stdout.isTTY ? 'spec' : 'tap'}`,
      '--test-reporter-destination=stdout',
      '--test-reporter=./test/support/skipped-reporter.mjs',
      `--test-reporter-destination=${skippedFile}`,
      ...options,
      ...files,
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const skipped = readFileSync(skippedFile, 'utf8').split('\n').filter(Boolean);
  if (skipped.length > 0) {
    console.log(`\n!!! ${String(skipped.length)} SKIPPED: what these judge was NOT judged\n`);
    for (const line of skipped) console.log(`!!!   ${line}`);
  }
  if (signal !== null) console.error(`the test runner was killed by ${signal}`);
  if (skipped.length > 0 && process.env.CI) {
    console.error('\nnothing may be skipped here (CI is set)');
    return 1;
  }
  return status ?? 1;
}
