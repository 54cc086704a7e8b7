/**
 * The executable for arm64 on any machine: by QEMU's emulation of a user's process, with the C library of Debian's cross compilers. It
 * needs no setting: Bun's compiler to machine code runs there as well. The smallest run takes two seconds of CPU time, so these are few.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { requireSound, requireTidy, setState } from '../faults/invariants.ts';
import { leafFiles } from '../support/certificates/certificates.ts';
import { kubepki } from '../support/kubepki.ts';
import { judge, type Skippable } from '../support/judge.ts';
import { runProgram, type ProgramOutcome } from '../support/program.ts';
import { copyFixture, snapshot, temporaryDirectory, type Tree } from '../support/tree.ts';

const executable = fileURLToPath(new URL('../../dist/kubepki-linux-arm64', import.meta.url));

type Run = (...words: string[]) => Promise<ProgramOutcome>;

function arm64(t: Skippable): Run | undefined {
  if (process.arch === 'arm64') return (...words) => runProgram(executable, words);
  const qemu = judge(t, 'qemu-aarch64-static');
  if (qemu === undefined) return undefined;
  return (...words) => runProgram(qemu, ['-L', '/usr/aarch64-linux-gnu', executable, ...words]);
}

test('version names the machine', async (t) => {
  const run = arm64(t);
  if (run === undefined) return;
  const { code, stdout, stderr } = await run('version', '-o', 'json');
  assert.deepEqual([code, stderr], [0, '']);
  const { version, platform, runtime } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual([version, platform], [packageJson.version, 'linux/arm64']);
  assert.equal((runtime as { name: string }).name, 'Bun');
});

test('check-expiration prints what it prints elsewhere', async (t) => {
  const run = arm64(t);
  if (run === undefined) return;
  const { directory } = copyFixture(t, 'v1.35-dual-stack');
  const words = ['certs', 'check-expiration', '--rootfs', directory, '--offline', '--all', '-o', 'json'];
  words.push('--at', '2027-01-01T00:00:00Z');
  const [here, there] = await Promise.all([kubepki(words), run(...words)]);
  assert.deepEqual([there.code, there.stderr], [0, '']);
  assert.equal(there.stdout, here.stdout);
});

test('keys of both kinds are renewed, openssl accepts all, and verify finds it well', async (t) => {
  const run = arm64(t);
  const openssl = judge(t, 'openssl');
  if (run === undefined || openssl === undefined) return;
  const tree = copyFixture(t, 'stacked-etcd-ecdsa');
  const before = snapshot(tree.directory);
  const scratch = temporaryDirectory(t);
  const kindsBefore = kindsOfKeys(tree, scratch);
  assert.deepEqual([...new Set(kindsBefore)].sort(), ['ec', 'rsa']);

  const renewed = await run('certs', 'renew', 'all', '--rootfs', tree.directory, '--offline');
  assert.equal(renewed.code, 0, renewed.stderr);

  assert.equal(setState(before, snapshot(tree.directory)), 'new');
  assert.deepEqual(kindsOfKeys(tree, scratch), kindsBefore);
  for (const { certificate, ca } of leafFiles(tree, scratch)) {
    const words = ['verify', '-x509_strict', '-CAfile', ca, certificate];
    assert.equal(execFileSync(openssl, words, { encoding: 'utf8' }), `${certificate}: OK\n`);
  }
  requireSound(tree, scratch);
  requireTidy(tree);

  const verified = await run('verify', '--rootfs', tree.directory);
  assert.equal(verified.code, 0, verified.stdout);
});

function kindsOfKeys(tree: Tree, scratch: string): readonly (string | undefined)[] {
  return leafFiles(tree, scratch).map(
    ({ certificate }) => new X509Certificate(readFileSync(certificate)).publicKey.asymmetricKeyType,
  );
}
