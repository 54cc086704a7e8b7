/** What `npm run build:standalone` has put into dist/. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { kubepkiCommand } from '../support/kubepki.ts';
import { temporaryDirectory } from '../support/tree.ts';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));
const executables = readdirSync(dist).filter((name) => name.startsWith('kubepki-linux-'));

test('sha256sum finds every executable in SHA256SUMS', () => {
  const said = execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], {
    cwd: dist,
    encoding: 'utf8',
  });
  // `npm run package` adds the packages.
  const found = said
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('kubepki-linux-'));
  assert.deepEqual(found.sort(), executables.map((name) => `${name}: OK`).sort());
  assert.notEqual(executables.length, 0);
});

test('each is an ELF executable of its machine', () => {
  // e_machine (elf(5)) of EM_X86_64 and EM_AARCH64.
  const machines: Readonly<Record<string, number>> = { 'kubepki-linux-x64': 62, 'kubepki-linux-arm64': 183 };
  for (const name of executables) {
    const header = Buffer.alloc(20);
    const file = openSync(join(dist, name), 'r');
    readSync(file, header);
    closeSync(file);
    assert.equal(header.subarray(0, 4).toString('latin1'), '\u007fELF');
    assert.equal(header.readUInt16LE(18), machines[name], name);
  }
});

test('it needs nothing beside itself, not even node', (t) => {
  const [program] = kubepkiCommand;
  const options = { cwd: temporaryDirectory(t), encoding: 'utf8', env: {} } as const;
  assert.equal(execFileSync(program, ['--version'], options), `${packageJson.version}\n`);
  const tree = fileURLToPath(new URL('../../fixtures/ipv6', import.meta.url));
  const at = ['--at', '2027-01-01T00:00:00Z'];
  const shown = execFileSync(program, ['certs', 'check-expiration', '--rootfs', tree, ...at], options);
  assert.match(shown, /^apiserver .* 304d /m);
});

test('the notice has the licence of whatever is bundled', () => {
  const notice = readFileSync(join(dist, 'THIRD-PARTY-NOTICES'), 'utf8');
  const parts = notice.split(/^={72}\n(.+) \((.+)\)\n={72}\n/m).slice(1);
  const names = parts.filter((_, index) => index % 3 === 0).map((part) => part.replace(/ [^ ]+$/, ''));
  const texts = parts.filter((_, index) => index % 3 === 2);
  for (const name of ['Bun', ...Object.keys(packageJson.dependencies)]) assert.ok(names.includes(name), name);
  assert.equal(names.length, texts.length);
  for (const [index, text] of texts.entries()) assert.ok(text.trim().length > 40, names[index]);
  assert.match(notice, /JavaScriptCore.* LGPL-2\.0/);
  // A package that is not bundled has no place in it.
  for (const name of Object.keys(packageJson.devDependencies)) assert.ok(!names.includes(name), name);
});
