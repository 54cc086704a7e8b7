/**
 * `npm test`: every test/**\/*.test.ts on node's own runner. Arguments select files by a part of their path
 * (`npm test -- kubeconfig`); arguments that begin with a dash go to the runner (`npm test -- --test-name-pattern=ECDSA`).
 * Those in *.long.test.ts are for FAULTS=all, or to be named. `--standalone` selects the executables' own tests, and what the one that
 * KUBEPKI_BIN names runs again; `--packages` those of the packages.
 */
import './build.mjs';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { again } from './standalone/again.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
const ofExecutable = args.includes('--standalone');
const ofPackages = args.includes('--packages');
const options = args.filter((arg) => arg.startsWith('-') && arg !== '--standalone' && arg !== '--packages');
const wanted = args.filter((arg) => !arg.startsWith('-'));

// For a file of tests. What is asked to take long may.
const timeoutMs = process.env.FUZZ ? 2 ** 31 - 1 : process.env.FAULTS === 'all' ? 3_600_000 : 600_000;

const all = readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
  .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
  .sort();
// What these look at is only there when it was asked for: `npm run build:standalone`, `npm run package`.
const built = /^test\/(standalone|package)\//;
const selected = ofPackages
  ? all.filter((file) => file.startsWith('test/package/'))
  : ofExecutable
    ? runAgain()
    : all;
// What has its place in FAULTS=all alone.
const isLong = (file) => file.endsWith('.long.test.ts');
const files = selected.filter((file) =>
  wanted.length === 0
    ? (ofPackages || ofExecutable || !built.test(file)) && (process.env.FAULTS === 'all' || !isLong(file))
    : wanted.some((part) => file.includes(part)),
);

if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' or ')}`);
  process.exit(1);
}

const namePattern = '--test-name-pattern=';
const scratch = directoryInMemory();

// The child says what has failed, and what was skipped (support/reporter.mjs).
const { status, signal } = spawnSync(
  process.execPath,
  [
    // For the lines of failures: tsx writes each file as one line.
    '--enable-source-maps',
    '--import',
    'tsx',
    ...options.filter((option) => !option.startsWith(namePattern)),
    join(root, 'test/runner.mjs'),
    JSON.stringify({
      files: inGoodOrder(files).map((file) => join(root, file)),
      // Two more than there are cores: a good part of the tests waits, for a probe, a retry, or the kubelet to look.
      concurrency: availableParallelism() + 2,
      timeout: timeoutMs,
      // To the runner itself the files are tests, and it would look for the name among them.
      testNamePatterns: options
        .filter((option) => option.startsWith(namePattern))
        .map((option) => option.slice(namePattern.length)),
    }),
  ],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: scratch === undefined ? process.env : { ...process.env, TMPDIR: scratch },
  },
);
if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
if (signal !== null) console.error(`the test runner was killed by ${signal}`);
process.exitCode = status ?? 1;

/**
 * Where the tests lay their trees, unless TMPDIR says where: a renewal flushes some fifty times, and nothing here is proved by a disk
 * that takes its time (test/faults/power-cut/ goes by the calls).
 * @returns undefined: there is no room in memory, and the system's directory is used
 */
function directoryInMemory() {
  if (process.env.TMPDIR) return undefined;
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
    const [, , type, options = ''] = mounts.findLast((line) => line.includes(' /dev/shm '))?.split(' ') ?? [];
    if (type !== 'tmpfs' || options.split(',').some((one) => ['ro', 'noexec'].includes(one)))
      return undefined;
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize < 4 * 1024 ** 3) return undefined;
    const directory = mkdtempSync('/dev/shm/kubepki-tests-');
    // Some tests are another user's.
    chmodSync(directory, 0o755);
    return directory;
  } catch {
    return undefined;
  }
}

/**
 * What takes longest begins early, so that nothing is left to run alone. Two whole clusters at once take more than twice as long, as their
 * clients go on asking: one begins when another will have ended.
 */
function inGoodOrder(all) {
  const early = [
    ['test/rotation/whole.test.ts', 0],
    ['test/fuzz/commands/commands.test.ts', 0.2],
    ['test/faults/killed.test.ts', 0.3],
    ['test/faults/rotation/taken-back.long.test.ts', 0.5],
    ['test/faults/rotation/killed.long.test.ts', 0.6],
    ['test/rotation/token-key.long.test.ts', 0.7],
  ].filter(([file]) => all.includes(file));
  const others = all.filter((file) => !early.some(([one]) => one === file));
  for (const [file, share] of early) others.splice(Math.floor(share * all.length), 0, file);
  return others;
}

function runAgain() {
  const listed = Object.values(again)
    .flat()
    .map((name) => `test/cli/${name}.test.ts`);
  const missing = listed.filter((file) => !all.includes(file));
  if (missing.length > 0) throw new Error(`test/standalone/again.mjs: there is no ${missing.join(', ')}`);
  return [...all.filter((file) => file.startsWith('test/standalone/')), ...listed];
}
