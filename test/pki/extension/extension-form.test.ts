/** Extensions that are not what their name says: a certificate with one is refused when it is read, as Go refuses it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { parseCertificates } from '../../../src/pki/certificate/certificate.ts';
import { primitive } from '../../../src/pki/der/der.ts';
import { requireWellFormed } from '../../../src/pki/extension/extension-form.ts';
import { extensionIds, newExtension, type Extension } from '../../../src/pki/extension/extension.ts';
import { judge } from '../../support/judge.ts';
import { runProgram } from '../../support/program.ts';
import { temporaryDirectory } from '../../support/tree.ts';

/** Content of extnValue in hex. */
const malformed: readonly (readonly [name: string, what: string, der: string])[] = [
  ['extendedKeyUsage', 'an OID whose number has no end', '300306018a'],
  ['extendedKeyUsage', 'a length beyond the end', '300b06082b06010505070301'],
  ['extendedKeyUsage', 'an INTEGER', '3003020101'],
  ['extendedKeyUsage', 'a SET', '310a06082b06010505070301'],
  ['keyUsage', 'an OCTET STRING', '040205a0'],
  ['keyUsage', 'unused bits that are not zero', '030205a1'],
  ['keyUsage', 'nine unused bits', '030209a0'],
  ['basicConstraints', 'no SEQUENCE', '0101ff'],
  ['basicConstraints', 'a BOOLEAN of two bytes', '30040102ffff'],
  ['basicConstraints', 'a BOOLEAN that is neither', '3003010101'],
  ['subjectAltName', 'an OCTET STRING', '0402820161'],
  ['subjectAltName', 'a DNS name that is not ASCII', '30048202c3a9'],
  ['subjectAltName', 'an address of five bytes', '300787050a00000101'],
  ['nameConstraints', 'nothing permitted or excluded', '3000'],
  ['nameConstraints', 'an address without a mask', '300aa008300687040a000000'],
  ['nameConstraints', 'a mask with a hole', '300ea00c300a87080a000000ff00ff00'],
  ['nameConstraints', 'names without their lists', '3005300382016f'],
  ['subjectKeyIdentifier', 'a SEQUENCE', '3003040101'],
  ['authorityKeyIdentifier', 'an OCTET STRING', '040101'],
];
const wellFormed: typeof malformed = [
  ['extendedKeyUsage', 'a usage that nobody knows', '300506032a0304'],
  ['keyUsage', 'nine bits', '0303078080'],
  ['basicConstraints', 'FALSE, spelled out', '3003010100'],
  ['basicConstraints', 'nothing', '3000'],
  ['subjectAltName', 'an address and a URI', '300e87040a0000018606687474703a2f'],
  ['nameConstraints', 'an address block', '300ea00c300a87080a000000ff000000'],
  ['1.2.3.4', 'no DER at all, of an extension that is not taken apart', 'ffff'],
];

/** A server certificate with this extension, and what kubectl says to it. */
async function judged(
  t: TestContext,
  { openssl, kubectl }: { readonly openssl: string; readonly kubectl: string },
  [name, , der]: (typeof malformed)[number],
): Promise<{ readonly pem: Buffer; readonly said: string }> {
  const scratch = temporaryDirectory(t);
  const path = (file: string): string => join(scratch, file);
  writeFileSync(path('ext'), `${name}=DER:${der}\n`);
  const key = ['-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', path('key')];
  const run = (args: readonly string[]): unknown => execFileSync(openssl, args, { stdio: 'pipe' });
  run(['req', '-new', ...key, '-subj', '/CN=a', '-out', path('csr')]);
  const signed = ['-signkey', path('key'), '-set_serial', '1', '-out', path('crt')];
  run(['x509', '-req', '-in', path('csr'), '-extfile', path('ext'), ...signed]);
  const pem = readFileSync(path('crt'));
  const server = createServer({ cert: pem, key: readFileSync(path('key')) }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = [
    '--kubeconfig=/dev/null',
    `--server=https://127.0.0.1:${String(port)}`,
    '--token=x',
    'get',
    '--raw',
    '/',
  ];
  const { stderr } = await runProgram(kubectl, ask, { HOME: scratch });
  server.close();
  return { pem, said: stderr };
}

for (const [kind, table] of Object.entries({ malformed, wellFormed })) {
  describe(
    `an extension that is ${kind === 'malformed' ? 'not ' : ''}well-formed`,
    { concurrency: 4 },
    () => {
      for (const one of table) {
        const [name, what] = one;
        test(`${name}: ${what}`, async (t) => {
          const [openssl, kubectl] = [judge(t, 'openssl'), judge(t, 'kubectl')];
          if (openssl === undefined || kubectl === undefined) return;
          const { pem, said } = await judged(t, { openssl, kubectl }, one);
          if (kind === 'malformed') {
            assert.match(said, /failed to parse certificate from server: x509: /);
            assert.throws(() => parseCertificates(pem), {
              code: 'bad-certificate',
              message: `its X.509 extension ${name} is not well-formed`,
            });
          } else {
            assert.match(said, /failed to verify certificate: x509: /);
            const [certificate] = parseCertificates(pem);
            assert.ok(certificate.extensions.some(({ value }) => value.toString('hex') === one[2]));
          }
        });
      }
    },
  );
}

test('bytes behind the value, which Go passes over, are no DER either (RFC 5280, 4.2)', () => {
  for (const [name, , der] of wellFormed.slice(0, -1)) {
    const id = extensionIds[name as keyof typeof extensionIds];
    const form = (value: string): Extension => ({
      ...newExtension(id, false, primitive('null', Buffer.alloc(0))),
      value: Buffer.from(value, 'hex'),
    });
    requireWellFormed(form(der));
    assert.throws(() => {
      requireWellFormed(form(`${der}00`));
    }, /is not well-formed/);
  }
});
