import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { KubepkiError } from '../../../src/errors/error.ts';
import {
  fingerprintOf,
  hasNegativeSerial,
  parseCertificate,
  parseCertificates,
  serialNumberOf,
  serialOf,
  type Certificate,
} from '../../../src/pki/certificate/certificate.ts';
import { contentOf, encodeDer, parseDer, primitive, sequence, type Asn1 } from '../../../src/pki/der/der.ts';
import { ForeignKey } from '../../../src/pki/key/public-key.ts';
import { factsOf } from '../../support/change-document.ts';
import { judge } from '../../support/judge.ts';
import fc from '../../support/properties.ts';
import { fixturePath, temporaryDirectory } from '../../support/tree.ts';

const names = ['apiserver', 'ca', 'etcd/peer', 'front-proxy-client'];
const samples = ['stacked-etcd-rsa', 'stacked-etcd-ecdsa', 'ipv6'].flatMap((role) =>
  names.map(
    (name) => new X509Certificate(readFileSync(fixturePath(role, `etc/kubernetes/pki/${name}.crt`))).raw,
  ),
);

function spki(der: Buffer): Buffer {
  return new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' });
}

/** With another public key in it: the content of a BIT STRING, whose first byte counts unused bits. */
function withKey(der: Buffer, change: (bits: Buffer) => Buffer): Buffer {
  const bits = Buffer.concat([Buffer.of(0), spki(der).subarray(-65)]);
  const replaced = (value: Asn1): Asn1 => {
    if (typeof value.value !== 'string') return sequenceLike(value, value.value.map(replaced));
    return contentOf(value).equals(bits) ? primitive('bitString', change(bits)) : value;
  };
  return encodeDer(replaced(parseDer(der)));
}

function sequenceLike({ tagClass, type }: Asn1, parts: readonly Asn1[]): Asn1 {
  return { ...sequence(parts), tagClass, type };
}

const onCurve = samples.find((one) => new X509Certificate(one).publicKey.asymmetricKeyType === 'ec');

describe('a certificate', () => {
  test('whichever bytes are others: it is refused, or its key is the one that OpenSSL reads', () => {
    const counts = { refused: 0, read: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }),
        (der, bytes) => {
          const changed = Buffer.from(der);
          for (const [where, byte] of bytes) changed[where % changed.length] = byte;
          let certificate: Certificate;
          try {
            certificate = parseCertificate(changed);
          } catch (error) {
            assert.ok(error instanceof KubepkiError);
            counts.refused += 1;
            return;
          }
          counts.read += 1;
          const { publicKey } = certificate;
          if (publicKey instanceof ForeignKey) return;
          assert.deepEqual(publicKey.export({ type: 'spki', format: 'der' }), spki(changed));
        },
      ),
      { numRuns: 3_000 },
    );
    // Else it has shown nothing.
    assert.ok(counts.refused > 200 && counts.read > 200, JSON.stringify(counts));
  });

  test('a point beside its curve is no key, and no certificate to read', () => {
    assert.ok(onCurve !== undefined);
    const changed = withKey(onCurve, (bits) => {
      bits[65] = (bits[65] ?? 0) ^ 1;
      return bits;
    });
    assert.throws(() => parseCertificate(changed), {
      code: 'bad-certificate',
      message: 'does not hold a well-formed public key',
    });
  });

  test('a compressed point is the key that it stands for', () => {
    assert.ok(onCurve !== undefined);
    const changed = withKey(onCurve, (bits) =>
      Buffer.of(0, ((bits[65] ?? 0) & 1) === 1 ? 3 : 2, ...bits.subarray(2, 34)),
    );
    assert.ok(changed.length < onCurve.length);
    const { publicKey } = parseCertificate(changed);
    assert.ok(publicKey instanceof KeyObject && publicKey.equals(new X509Certificate(onCurve).publicKey));
  });

  for (const [what, ...args] of [
    ['RSA-PSS', '-newkey', 'rsa:2048', '-sigopt', 'rsa_padding_mode:pss'],
    ['P-521', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521'],
    ['Ed25519', '-newkey', 'ed25519'],
    ['a name beyond ASCII', '-newkey', 'rsa:2048', '-utf8', '-subj', '/CN=Zürich'],
    ['several attributes in one RDN', '-newkey', 'rsa:2048', '-multivalue-rdn', '-subj', '/O=a+CN=b'],
    ['no name', '-newkey', 'rsa:2048', '-subj', '/'],
  ] as const) {
    test(`with ${what} is read`, (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const directory = temporaryDirectory(t);
      const file = join(directory, 'x.crt');
      const subject = (args as readonly string[]).includes('-subj') ? [] : ['-subj', '/CN=x'];
      execFileSync(
        openssl,
        ['req', '-x509', '-nodes', '-keyout', '/dev/null', '-out', file, ...args, ...subject],
        { cwd: directory, stdio: 'ignore' },
      );
      const [certificate] = parseCertificates(readFileSync(file));
      const x509 = new X509Certificate(readFileSync(file));
      assert.deepEqual(certificate.x509.raw, x509.raw);
      assert.ok(certificate.publicKey instanceof KeyObject && certificate.publicKey.equals(x509.publicKey));
    });
  }
});

describe('facts of a certificate', () => {
  // The first byte of `80` and of what begins with FF would make the number negative without a byte before it.
  for (const serial of [
    ...['00', '01', '0D7005C3', '7F00', '80', 'FF00000000000000'],
    ...['-01', '-05', '-7F', '-80', '-81', '-0100', '-FF00000000000000'],
  ]) {
    test(`serial number ${serial} is written as openssl writes it`, (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const scratch = temporaryDirectory(t);
      const [file, key] = [join(scratch, 'crt'), join(scratch, 'key')];
      execFileSync(
        openssl,
        [
          ...[
            'req',
            '-x509',
            '-nodes',
            '-newkey',
            'ec',
            '-pkeyopt',
            'ec_paramgen_curve:P-256',
            '-subj',
            '/CN=a',
          ],
          ...['-set_serial', serial.replace(/^-?/, '$&0x'), '-keyout', key, '-out', file],
        ],
        { stdio: 'pipe' },
      );
      const [certificate] = parseCertificates(readFileSync(file));
      const facts = factsOf(openssl, file);
      const negative = serial.startsWith('-');
      assert.equal(facts.serial, serial);
      assert.deepEqual(
        [serialOf(certificate), fingerprintOf(certificate)],
        [facts.serial, facts.fingerprint],
      );
      assert.equal(
        serialNumberOf(certificate),
        BigInt(`0x${serial.replace('-', '')}`) * (negative ? -1n : 1n),
      );
      assert.equal(hasNegativeSerial(certificate), negative);
    });
  }
});
