import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { requestName } from '../../../src/operations/use-api/request-name.ts';
import { expirationSecondsOf, requestedUsages } from '../../../src/operations/use-api/usages.ts';
import { parseCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { judge } from '../../support/judge.ts';
import { temporaryDirectory } from '../../support/tree.ts';

/** Of openssl's making. */
function leafFor(t: TestContext, openssl: string, usages: string | undefined): Certificate {
  const directory = temporaryDirectory(t);
  const [crt, key] = [join(directory, 'crt'), join(directory, 'key')];
  const extension = usages === undefined ? [] : ['-addext', `extendedKeyUsage=${usages}`];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync(
    openssl,
    ['req', '-x509', ...ec, '-subj', '/CN=x', '-keyout', key, '-out', crt, ...extension],
    {
      stdio: 'pipe',
    },
  );
  return parseCertificates(readFileSync(crt))[0];
}

const client = { name: 'scheduler.conf', usages: ['clientAuth'] } as const;
const rsa = { type: 'rsa', bits: 2048 } as const;
const ec = { type: 'ec', curve: 'P-256' } as const;

describe('the usages that are asked for', () => {
  test('are those of the certificate; key encipherment with RSA only', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const both = leafFor(t, openssl, 'serverAuth,clientAuth');
    assert.deepEqual(requestedUsages(both, client, rsa), [
      'digital signature',
      'key encipherment',
      'server auth',
      'client auth',
    ]);
    assert.deepEqual(requestedUsages(leafFor(t, openssl, 'clientAuth'), client, ec), [
      'digital signature',
      'client auth',
    ]);
  });

  test('and those that its peers want, where it lacks them', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    for (const usages of [undefined, 'codeSigning']) {
      assert.equal(requestedUsages(leafFor(t, openssl, usages), client, ec).at(-1), 'client auth');
    }
  });

  const known = [
    ['codeSigning', 'code signing'],
    ['emailProtection', 'email protection'],
    ['timeStamping', 'timestamping'],
    ['OCSPSigning', 'ocsp signing'],
    ['ipsecEndSystem', 'ipsec end system'],
    ['ipsecTunnel', 'ipsec tunnel'],
    ['ipsecUser', 'ipsec user'],
    ['msSGC', 'microsoft sgc'],
    ['nsSGC', 'netscape sgc'],
    ['anyExtendedKeyUsage', 'any'],
  ] as const;
  for (const [inOpenssl, inApi] of known) {
    test(`${inOpenssl} is ${inApi}`, (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      assert.deepEqual(requestedUsages(leafFor(t, openssl, inOpenssl), client, ec), [
        'digital signature',
        inApi,
        'client auth',
      ]);
    });
  }

  test('none is lost: one that the API has no name for is refused', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const leaf = leafFor(t, openssl, 'clientAuth,1.2.3.4');
    assert.throws(() => requestedUsages(leaf, client, ec), { code: 'bad-certificate', hint: /--csr-only/ });
  });

  test('the validity in seconds, never less than the API takes, nor more than it holds', () => {
    assert.equal(expirationSecondsOf(8760 * 3600 * 1000), 31_536_000);
    assert.equal(expirationSecondsOf(600_999), 600);
    assert.equal(expirationSecondsOf(1), 600);
    assert.equal(expirationSecondsOf(200 * 365 * 86_400_000), 2_147_483_647);
  });
});

test('the name of a request tells node and certificate, and is a DNS subdomain', () => {
  assert.equal(requestName('cp1', 'scheduler.conf', '0a1b'), 'kubepki-cp1-scheduler-conf-0a1b');
  assert.equal(requestName('CP-1.Example.COM', 'apiserver', '0a'), 'kubepki-cp-1-example-com-apiserver-0a');
  assert.equal(requestName('', 'apiserver', '0a'), 'kubepki-apiserver-0a');
  for (const node of ['x'.repeat(400), `${'x'.repeat(220)}.${'y'.repeat(200)}`, '__', 'ö.', '-a-']) {
    const name = requestName(node, 'apiserver-kubelet-client', '0123456789');
    assert.match(name, /^kubepki(?:-[a-z0-9]+)+$/);
    assert.ok(name.length <= 253);
    assert.ok(name.endsWith('-apiserver-kubelet-client-0123456789'));
  }
});
