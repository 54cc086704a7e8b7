/** Which commit a build says that it is of. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { judge } from '../support/judge.ts';
import { kubepkiBin } from '../support/kubepki.ts';
import { temporaryDirectory } from '../support/tree.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = new URL('../../bin/commit.mjs', import.meta.url).href;

/** As JSON. */
function commitOf(directory: string, env: Readonly<Record<string, string>> = {}): string {
  const code = `import { commitOf } from ${JSON.stringify(script)};
    console.log(JSON.stringify(commitOf(process.argv[1]) ?? null));`;
  return node(['--input-type=module', '-e', code, directory], env);
}

function node(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  return execFileSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  }).trim();
}

test('that of the checkout, and whether it has been changed since', (t) => {
  const git = judge(t, 'git');
  if (git === undefined) return;
  const directory = temporaryDirectory(t);
  const run = (...args: readonly string[]): string =>
    execFileSync(git, args, {
      cwd: directory,
      encoding: 'utf8',
      env: { HOME: directory, GIT_CONFIG_NOSYSTEM: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  run('init', '--quiet');
  assert.equal(commitOf(directory), 'null');
  writeFileSync(join(directory, 'file'), 'one');
  run('add', '.');
  run('-c', 'user.name=n', '-c', 'user.email=n@example.com', 'commit', '--quiet', '--message=m');
  const head = run('rev-parse', 'HEAD');
  assert.equal(commitOf(directory), JSON.stringify(head));
  // What nobody has added is in no build.
  writeFileSync(join(directory, 'other'), 'one');
  assert.equal(commitOf(directory), JSON.stringify(head));
  writeFileSync(join(directory, 'file'), 'two');
  assert.equal(commitOf(directory), JSON.stringify(`${head}-modified`));
  // Unpacked inside of somebody else's checkout.
  mkdirSync(join(directory, 'below'));
  assert.equal(commitOf(join(directory, 'below')), 'null');
  assert.equal(commitOf(directory, { PATH: '' }), 'null');
  rmSync(join(directory, '.git'), { recursive: true });
  assert.equal(commitOf(directory), 'null');
});

test('it is in the bundle; run from source the program knows none', () => {
  const said = (args: readonly string[]): unknown =>
    (JSON.parse(node([...args, 'version', '-o', 'json'])) as { commit: unknown }).commit;
  // What npm test has built was built right before; somebody may have saved a file since.
  const built = /"([0-9a-f]{40})(?:-modified)?"/.exec(commitOf(root))?.[1] ?? null;
  const commit = said([kubepkiBin]);
  assert.equal(typeof commit === 'string' ? commit.replace('-modified', '') : commit, built);
  assert.equal(said(['--import', 'tsx', join(root, 'src/cli/main.ts')]), null);
  const main = readFileSync(join(root, 'dist/kubepki.cjs'), 'utf8');
  assert.ok(!main.includes('__KUBEPKI_COMMIT__'));
});
