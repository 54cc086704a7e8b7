/** The same commit gives the same bytes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../support/tree.ts';
import { commitSeconds, deb, dist, root, rpm, version } from './built.ts';

/** Another checkout, without git's part of it, and with the executables. */
function checkout(directory: string): string {
  const copy = join(directory, 'somewhere else');
  const names = ['bin', 'src', 'docs/man', 'test/setup.mjs', 'LICENSE', 'CHANGELOG.md', 'tsconfig.json'];
  for (const name of [...names, 'package.json', 'package-lock.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  mkdirSync(join(copy, 'dist'));
  for (const name of ['kubepki-linux-x64', 'kubepki-linux-arm64', 'THIRD-PARTY-NOTICES', 'SHA256SUMS'])
    symlinkSync(join(dist, name), join(copy, 'dist', name));
  return copy;
}

test('from another directory, with another umask, locale, time zone and home', (t) => {
  const copy = checkout(temporaryDirectory(t));
  const build = 'umask 0077 && exec node --import tsx "$0/bin/package/build.mts" "$1"';
  execFileSync('sh', ['-c', build, copy, process.arch], {
    cwd: copy,
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      LC_ALL: 'tr_TR.UTF-8',
      TZ: 'Asia/Kathmandu',
      SOURCE_DATE_EPOCH: String(commitSeconds()),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (const name of [basename(deb), basename(rpm), `kubepki-${version}.cdx.json`])
    assert.ok(readFileSync(join(copy, 'dist', name)).equals(readFileSync(join(dist, name))), name);
});
