/** What a build does to those who run what it builds, and who builds nothing. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryDirectory } from '../support/tree.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** The source, with what is installed, and without dist/. */
function checkout(t: TestContext): string {
  const copy = join(temporaryDirectory(t), 'kubepki');
  const names = [
    'bin',
    'src',
    'test/setup.mjs',
    'fixtures/stacked-etcd-rsa',
    'package.json',
    'package-lock.json',
  ];
  for (const name of [...names, 'tsconfig.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

test('a build breaks no command that runs meanwhile', async (t) => {
  const copy = checkout(t);
  const build = (): Promise<unknown> => run(process.execPath, ['bin/bundle/build.mjs'], { cwd: copy });
  await build();
  const built = ['kubepki.cjs', 'kubepki.cjs.cache'];
  assert.deepEqual(readdirSync(join(copy, 'dist')).sort(), built);
  const second: { isOver: boolean } = { isOver: false };
  const building = build().finally(() => {
    second.isOver = true;
  });
  let runs = 0;
  for (; !second.isOver; runs++) {
    const { stdout } = await run(process.execPath, ['bin/kubepki.js', '--version'], { cwd: copy });
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  }
  await building;
  assert.ok(runs > 1);
  assert.deepEqual(readdirSync(join(copy, 'dist')).sort(), built);
});

test('types, lint and format build nothing', (t) => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Readonly<Record<string, string>>;
  };
  for (const name of ['types', 'lint', 'format']) {
    assert.match(scripts[name] ?? '', /^node test\/setup\.mjs && (?!.*build)/, name);
  }
  const copy = checkout(t);
  execFileSync(process.execPath, ['test/setup.mjs'], { cwd: copy });
  assert.ok(!existsSync(join(copy, 'dist')));
});
