/** Certificates whose serial number is below zero, as some scripts made them: shown as what they are. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import {
  caInProcess as ca,
  certsInProcess as certs,
  doneInProcess as done,
} from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { samplesOf } from '../../support/metrics.ts';
import { quickTree } from '../../support/node.ts';
import { changes, snapshot, type Tree } from '../../support/tree.ts';

/** The certificate again, with this number, signed by its CA. */
function number(openssl: string, tree: Tree, name: string, serial: string, ca: string): void {
  const pki = (file: string): string => join(tree.certDir, file);
  const key = ['-signkey', pki(`${name}.key`)];
  const run = (args: readonly string[], input?: Buffer): Buffer =>
    execFileSync(openssl, ['x509', ...args], { input, stdio: 'pipe' });
  const copied = ['-copy_extensions', 'copyall'];
  const request = run(['-x509toreq', '-in', pki(`${name}.crt`), ...key, ...copied]);
  const signer = name === ca ? key : ['-CA', pki(`${ca}.crt`), '-CAkey', pki(`${ca}.key`)];
  const numbered = ['-set_serial', serial, '-days', '300'];
  writeFileSync(pki(`${name}.crt`), run(['-req', ...signer, ...copied, ...numbered], request));
}

test('metrics have it in decimal, documents and backups as openssl writes it', async (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const tree = quickTree(t);
  number(openssl, tree, 'apiserver', '-5', 'ca');
  const { stdout } = await certs(tree, 'check-expiration', '-o', 'prometheus');
  const sample = samplesOf(stdout).find(
    ({ name, labels }) => name === 'x509_cert_not_after' && labels['name'] === 'apiserver',
  );
  assert.equal(sample?.labels['serial_number'], '-5');
  const renewed = await done(tree, 'renew', 'apiserver', '-o', 'yaml');
  assert.match(renewed.stdout, /^ +serial: "-05"$/m);
  const back = await done(tree, 'rollback', '-o', 'yaml');
  const { certificates } = parse(back.stdout) as { certificates: { new: { serial: string } }[] };
  assert.deepEqual(
    certificates.map((one) => one.new.serial),
    ['-05'],
  );
});

test('of a CA: nothing is signed with it, whoever asks', async (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const tree = quickTree(t);
  await done(tree, 'renew', 'apiserver', '--csr-only', '--csr-dir', '/csr');
  const csr = join(tree.directory, 'csr');
  number(openssl, tree, 'ca', '-7', 'ca');
  const pki = (file: string): string => join(tree.certDir, file);
  execFileSync(
    openssl,
    [
      ...['x509', '-req', '-in', join(csr, 'apiserver.csr'), '-copy_extensions', 'copy', '-days', '30'],
      ...[
        '-CA',
        pki('ca.crt'),
        '-CAkey',
        pki('ca.key'),
        '-set_serial',
        '7',
        '-out',
        join(csr, 'apiserver.crt'),
      ],
    ],
    { stdio: 'pipe' },
  );
  const before = snapshot(tree.directory);
  for (const args of [
    ['renew', 'apiserver'],
    ['renew', 'apiserver', '--dry-run'],
    ['renew', 'all'],
  ]) {
    const { code, stderr } = await certs(tree, ...args);
    assert.match(stderr, /\/ca\.crt: the CA has a negative serial number \(-07\)/);
    assert.match(
      stderr,
      /^hint: renew it with its key, so that all it has signed stays valid: kubepki ca renew ca --rootfs /m,
    );
    assert.equal(code, 1);
  }
  const installed = await certs(tree, 'install', '--csr-dir', '/csr');
  assert.match(
    installed.stderr,
    /apiserver\.crt: the certificate for apiserver is signed by "CN=kubernetes", which has a negative serial number/,
  );
  assert.equal(installed.code, 1);
  assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  const { code, stderr } = await ca(tree, 'renew', 'ca');
  assert.equal(code, 0, stderr);
  await done(tree, 'renew', 'apiserver');
  execFileSync(openssl, ['verify', '-x509_strict', '-CAfile', pki('ca.crt'), pki('apiserver.crt')]);
});
