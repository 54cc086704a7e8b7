import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { issueProbe } from '../../../src/operations/rotation/probe-certificate.ts';
import { parseCertificates } from '../../../src/pki/certificate/certificate.ts';
import { randomSerialNumber } from '../../../src/pki/issue/issue.ts';
import { issuerOf, newAuthority, newKey, now } from '../../support/certificates/new-authority.ts';
import { verdicts } from '../../support/certificates/verifiers.ts';
import { judge } from '../../support/judge.ts';

const chance = { name: '00c0ffee00c0ffee', privateKey: newKey(), serialNumber: randomSerialNumber() };

test('a probe is a client that has no group and no other name, for ten minutes', async (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const authority = newAuthority('kubernetes');
  const probe = issueProbe(issuerOf(authority), chance, now);
  const text = execFileSync(
    openssl,
    ['x509', '-noout', '-subject', '-ext', 'extendedKeyUsage,basicConstraints,subjectAltName,keyUsage'],
    { input: probe.certificate, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] },
  );
  assert.deepEqual(
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.trim()),
    [
      'subject=CN = kubepki-probe-00c0ffee00c0ffee',
      ...['X509v3 Key Usage: critical', 'Digital Signature, Key Encipherment'],
      ...['X509v3 Extended Key Usage:', 'TLS Web Client Authentication'],
      ...['X509v3 Basic Constraints: critical', 'CA:FALSE'],
    ],
  );
  assert.equal(probe.commonName, 'kubepki-probe-00c0ffee00c0ffee');
  assert.equal(probe.notAfter.getTime() - now.getTime(), 600_000);
  assert.equal(now.getTime() - probe.notBefore.getTime(), 300_000);
  const [certificate, ...others] = parseCertificates(probe.certificate);
  assert.deepEqual(others, []);
  assert.deepEqual([certificate.notBefore, certificate.notAfter], [probe.notBefore, probe.notAfter]);
  assert.ok(new X509Certificate(probe.certificate).checkPrivateKey(createPrivateKey(probe.key)));
  const said = await verdicts(t, {
    leaf: certificate,
    key: chance.privateKey,
    behind: [],
    roots: [authority.certificate],
  });
  // As a server it has neither the usage nor a name.
  assert.deepEqual(
    said.filter(([, verdict]) => verdict === 'trusted').map(([name]) => name),
    said.length === 0 ? [] : ['openssl as a server', 'node as a server'],
  );
});

test('it ends with its CA', () => {
  const soon = new Date(now.getTime() + 60_000);
  const probe = issueProbe(issuerOf(newAuthority('kubernetes', { notAfter: soon })), chance, now);
  assert.deepEqual(probe.notAfter, soon);
});
