import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { namesBySerial } from '../../../src/pki/extension/authority-key-identifier.ts';
import { judge } from '../../support/judge.ts';
import { temporaryDirectory } from '../../support/tree.ts';

// openssl gives the identifier its form, and says in its text whether a serial number is there.
test('which certificates name their CA by its serial number', (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const scratch = temporaryDirectory(t);
  const at = (file: string): string => join(scratch, file);
  const run = (...args: readonly string[]): string =>
    execFileSync(openssl, args, { encoding: 'utf8', stdio: 'pipe' });
  const read = (file: string): Certificate => parseCertificates(readFileSync(at(file)))[0];
  const key = ['-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const authority = (name: string, serial: string, ...extensions: readonly string[]): Certificate => {
    run(
      ...['req', '-x509', ...key, '-keyout', at(`${name}.key`), '-out', at(`${name}.crt`)],
      ...['-subj', '/CN=kubernetes', '-days', '30', '-set_serial', serial],
      ...extensions.flatMap((one) => ['-addext', one]),
    );
    return read(`${name}.crt`);
  };
  const leaf = (name: string, extensions: string): Certificate => {
    writeFileSync(at('ext'), extensions);
    run('req', '-new', ...key, '-keyout', at('leaf.key'), '-out', at('leaf.csr'), '-subj', '/CN=leaf');
    run(
      ...['x509', '-req', '-in', at('leaf.csr'), '-CA', at('ca.crt'), '-CAkey', at('ca.key')],
      ...['-days', '10', '-extfile', at('ext'), '-out', at(name)],
    );
    const named = run('x509', '-in', at(name), '-noout', '-text').includes('serial:');
    assert.equal(named, /issuer|DER/.test(extensions), extensions);
    return read(name);
  };
  const ca = authority('ca', '0x00C0FFEE');
  const both = leaf('both.crt', 'authorityKeyIdentifier=keyid:always,issuer:always');
  const bySerial = leaf('serial.crt', 'authorityKeyIdentifier=issuer:always');
  const byKey = leaf('key.crt', 'authorityKeyIdentifier=keyid:always');
  const without = leaf('none.crt', 'authorityKeyIdentifier=none');
  const onlySerial = leaf('only.crt', '2.5.29.35=DER:3006820400c0ffee');
  assert.deepEqual(
    [both, bySerial, byKey, without, onlySerial].map((one) => namesBySerial(one, ca)),
    [true, true, false, false, true],
  );

  // The number that they name is another CA's.
  const another = authority('another', '7');
  assert.deepEqual(
    [both, bySerial, onlySerial].map((one) => namesBySerial(one, another)),
    [false, false, false],
  );

  // A CA that openssl's own configuration makes may name itself. The number zero is kubeadm's, once.
  const itself = authority('itself', '0', '2.5.29.35=DER:3003820100');
  assert.deepEqual(
    [itself, ca].map((one) => namesBySerial(one, one)),
    [true, false],
  );
});
