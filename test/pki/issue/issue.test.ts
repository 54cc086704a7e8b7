import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { encodeDer, oid, primitive, sequence } from '../../../src/pki/der/der.ts';
import { newExtension } from '../../../src/pki/extension/extension.ts';
import { issueCertificate, randomSerialNumber } from '../../../src/pki/issue/issue.ts';
import { isIssuedBy, localIssuer, type LocalIssuer } from '../../../src/pki/issue/issuer.ts';
import { parsePrivateKey } from '../../../src/pki/key/private-key.ts';
import { profileOf, sameProfile, type CertificateProfile } from '../../../src/pki/issue/profile.ts';
import fc from '../../support/properties.ts';
import { fixturePath } from '../../support/tree.ts';

const now = new Date('2026-12-01T00:00:00Z');

function issuerOf(role: string): LocalIssuer {
  const certificate = fixturePath(role, 'etc/kubernetes/pki/ca.crt');
  const key = fixturePath(role, 'etc/kubernetes/pki/ca.key');
  return localIssuer(parseCertificates(readFileSync(certificate)), parsePrivateKey(readFileSync(key)), now, {
    certificate,
    key,
  });
}

function issue(
  issuer: LocalIssuer,
  profile: CertificateProfile,
  notAfter = '2027-12-01T00:00:00Z',
): Certificate {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return issueCertificate(issuer, {
    profile,
    publicKey,
    serialNumber: randomSerialNumber(),
    notBefore: now,
    notAfter: new Date(notAfter),
  });
}

// UTF8String (12), PrintableString (19), IA5String (22) are told apart by their tag: a subject keeps them.
const attribute = fc
  .tuple(
    fc.constantFrom('550403', '550406', '55040a', '55040b', '2a864886f70d010901', '550461'),
    fc.constantFrom(12, 19, 22),
    fc.stringMatching(/^[A-Za-z0-9 :.-]{1,40}$/),
  )
  .map(([id, tag, text]) =>
    sequence([oid(id), { ...primitive('octetString', Buffer.from(text)), type: tag }]),
  );
const relativeName = fc
  .array(attribute, { minLength: 1, maxLength: 2 })
  .map((attributes) => ({ ...sequence(attributes), type: 17 }));
const subject = fc.array(relativeName, { maxLength: 5 }).map((names) => encodeDer(sequence(names)));
const extension = fc
  .tuple(fc.integer({ min: 1, max: 127 }), fc.boolean(), fc.uint8Array({ maxLength: 200 }))
  // 2.5.29.200…: no extension of that name exists, so any value will do. DER of an OCTET STRING.
  .map(([last, critical, bytes]) =>
    newExtension(
      `551d81${last.toString(16).padStart(2, '0')}`,
      critical,
      primitive('octetString', Buffer.from(bytes)),
    ),
  );
const profile = fc.record({
  subject,
  extensions: fc.uniqueArray(extension, { selector: ({ id }) => id, maxLength: 6 }),
});

describe('issuing', () => {
  const issuers = ['stacked-etcd-rsa', 'stacked-etcd-ecdsa'].map(issuerOf);

  test('profile, issue, profile is the identity, byte for byte', () => {
    fc.assert(
      fc.property(profile, fc.constantFrom(...issuers), (wanted, issuer) => {
        const issued = issue(issuer, wanted);
        assert.ok(issued.subject.equals(wanted.subject));
        assert.deepEqual(
          profileOf(issued).extensions.map(({ der }) => der.toString('hex')),
          wanted.extensions.map(({ der }) => der.toString('hex')),
        );
        assert.ok(sameProfile(profileOf(issued), wanted));
      }),
      { numRuns: 150 },
    );
  });

  test('a profile that differs in one byte or in criticality is not the same', () => {
    const [issuer] = issuers;
    assert.ok(issuer);
    const value = primitive('octetString', Buffer.from('value'));
    const wanted = { subject: encodeDer(sequence([])), extensions: [newExtension('551d8101', false, value)] };
    const issued = profileOf(issue(issuer, wanted));
    assert.ok(sameProfile(issued, wanted));
    const critical = { ...wanted, extensions: [newExtension('551d8101', true, value)] };
    assert.ok(!sameProfile(issued, critical));
    assert.ok(!sameProfile(issued, { ...wanted, extensions: [] }));
    assert.ok(!sameProfile(issued, { ...wanted, subject: Buffer.from('300111', 'hex') }));
  });

  test('what is issued verifies under the CA, and under no other', () => {
    const [rsa, ecdsa] = issuers;
    assert.ok(rsa && ecdsa);
    const issued = issue(rsa, { subject: encodeDer(sequence([])), extensions: [] });
    assert.ok(new X509Certificate(issued.der).verify(createPublicKey(rsa.privateKey)));
    assert.ok(isIssuedBy(issued, rsa.certificate));
    // Both CAs are called "kubernetes": the name alone must not decide.
    assert.ok(issued.issuer.equals(ecdsa.certificate.subject));
    assert.ok(!isIssuedBy(issued, ecdsa.certificate));
  });

  test('RFC 5280, 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050', () => {
    const [issuer] = issuers;
    assert.ok(issuer);
    const nobody = { subject: encodeDer(sequence([])), extensions: [] };
    const last = issue(issuer, nobody, '2049-12-31T23:59:59Z');
    assert.ok(last.der.includes(Buffer.from('\x17\x0d491231235959Z', 'latin1')));
    assert.equal(last.notAfter.toISOString(), '2049-12-31T23:59:59.000Z');
    const next = issue(issuer, nobody, '2050-01-01T00:00:00Z');
    assert.ok(next.der.includes(Buffer.from('\x18\x0f20500101000000Z', 'latin1')));
    assert.equal(next.notAfter.toISOString(), '2050-01-01T00:00:00.000Z');
  });

  test('RFC 5280, 4.1.2.2: serial numbers are positive, never padded, at most 20 octets, and never the same', () => {
    const serialNumbers = Array.from({ length: 2000 }, randomSerialNumber);
    for (const serialNumber of serialNumbers) {
      assert.equal(serialNumber.length, 16);
      const first = serialNumber[0] ?? 0;
      assert.ok(first >= 0x40 && first <= 0x7f, `first octet ${String(first)}`);
    }
    assert.equal(new Set(serialNumbers.map((serialNumber) => serialNumber.toString('hex'))).size, 2000);
  });
});
