import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  parseCertificate,
  parseCertificates,
  type Certificate,
} from '../../../src/pki/certificate/certificate.ts';
import { encodeDer, parseDer, type Asn1 } from '../../../src/pki/der/der.ts';
import { ForeignKey } from '../../../src/pki/key/subject-key.ts';
import { plainPublicKey } from '../../../src/pki/certificate/plain-certificate.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import { judge } from '../../support/judge.ts';
import fc from '../../support/properties.ts';
import { fixturePath, temporaryDirectory } from '../../support/tree.ts';

const names = ['apiserver', 'ca', 'etcd/peer', 'front-proxy-client'];
const samples = ['stacked-etcd-rsa', 'stacked-etcd-ecdsa', 'ipv6'].flatMap((role) =>
  names.map(
    (name) => new X509Certificate(readFileSync(fixturePath(role, `etc/kubernetes/pki/${name}.crt`))).raw,
  ),
);

/** What the independent parser makes of it. */
function spki(der: Buffer): Buffer {
  return new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' });
}

type Found = 'refused' | 'plain' | 'unusual';

/** What is read is what OpenSSL reads, with the same key, however it was read. */
function readAsOpensslReads(der: Buffer): Found {
  let certificate: Certificate;
  try {
    certificate = parseCertificate(der);
  } catch (error) {
    assert.ok(error instanceof KubepkiError);
    return 'refused';
  }
  if (certificate.publicKey instanceof ForeignKey) return 'unusual';
  assert.deepEqual(certificate.publicKey.export({ type: 'spki', format: 'der' }), spki(der));
  if (plainPublicKey(parseDer(der)) === undefined) return 'unusual';
  // Of what is not plain OpenSSL may have another view: bits that a BIT STRING does not count, it clears.
  assert.deepEqual(certificate.x509.raw, der);
  return 'plain';
}

/** Of every value of a tree, the way to it. */
function paths(value: Asn1, path: readonly number[] = []): (readonly number[])[] {
  const below =
    typeof value.value === 'string' ? [] : value.value.map((part, index) => paths(part, [...path, index]));
  return [path, ...below.flat()];
}

function at(value: Asn1, path: readonly number[]): Asn1 {
  const [index, ...rest] = path;
  if (index === undefined || typeof value.value === 'string') return value;
  const part = value.value[index];
  return part === undefined ? value : at(part, rest);
}

/** The tree with other parts in the place of one; none: it is taken away. */
function withParts(value: Asn1, [index, ...rest]: readonly number[], parts: readonly Asn1[]): Asn1 {
  if (index === undefined || typeof value.value === 'string') return parts[0] ?? value;
  const replaced = value.value.flatMap((part, here) => {
    if (here !== index) return [part];
    return rest.length === 0 ? parts : [withParts(part, rest, parts)];
  });
  return { ...value, value: replaced };
}

type Change = (value: Asn1, other: Asn1, byte: number) => readonly Asn1[];
const changes: readonly Change[] = [
  () => [],
  (value) => [value, value],
  (_value, other) => [other],
  (value, other) => [value, other],
  (value, other) => [{ ...value, value: other.value, constructed: other.constructed }],
  (value, _other, byte) => [{ ...value, type: byte & 0x1f }],
  (value, _other, byte) => [{ ...value, tagClass: byte & 0xc0 }],
  (value) => [{ ...value, value: '', constructed: false }],
  (value, _other, byte) =>
    typeof value.value === 'string'
      ? [{ ...value, value: String.fromCharCode(byte) + value.value.slice(1) }]
      : [{ ...value, value: value.value.slice(1) }],
  (value, _other, byte) =>
    typeof value.value === 'string'
      ? [{ ...value, value: value.value.slice(0, -1) + String.fromCharCode(byte) }]
      : [{ ...value, value: value.value.slice(0, -1) }],
  (value, _other, byte) =>
    typeof value.value === 'string'
      ? [{ ...value, value: value.value + String.fromCharCode(byte) }]
      : [{ ...value, value: [...value.value].reverse() }],
];

describe('a plain certificate', () => {
  test('is what kubeadm and kubepki make, and its key is the one that OpenSSL reads', () => {
    for (const der of samples) assert.equal(readAsOpensslReads(der), 'plain');
  });

  test('whatever is done to its parts: what is plain still, OpenSSL reads, with the same key', () => {
    const counts = { refused: 0, plain: 0, unusual: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.nat(),
        fc.nat(),
        fc.constantFrom(...changes),
        fc.nat({ max: 255 }),
        (der, where, which, change, byte) => {
          const tree = parseDer(der);
          const all = paths(tree);
          const path = all[where % all.length] ?? [];
          const other = at(tree, all[which % all.length] ?? []);
          const changed = encodeDer(withParts(tree, path, change(at(tree, path), other, byte)));
          counts[readAsOpensslReads(changed)] += 1;
        },
      ),
      { numRuns: 20_000 },
    );
    // Else it has shown nothing.
    assert.ok(
      Object.values(counts).every((count) => count > 200),
      JSON.stringify(counts),
    );
  });

  test('whichever bytes are others: the same', () => {
    let plain = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }),
        (der, bytes) => {
          const changed = Buffer.from(der);
          for (const [where, byte] of bytes) changed[where % changed.length] = byte;
          if (readAsOpensslReads(changed) === 'plain') plain += 1;
        },
      ),
      { numRuns: 20_000 },
    );
    assert.ok(plain > 500, String(plain));
  });

  test('a point beside its curve is no key, and no certificate to read', () => {
    const der = samples.find((one) => new X509Certificate(one).publicKey.asymmetricKeyType === 'ec');
    assert.ok(der !== undefined);
    const point = spki(der).subarray(-64);
    const changed = Buffer.from(der);
    const start = changed.indexOf(point);
    changed[start + 63] = (changed[start + 63] ?? 0) ^ 1;
    assert.throws(() => parseCertificate(changed), {
      code: 'bad-certificate',
      message: 'does not hold a well-formed public key',
    });
  });

  test('is not one that names two algorithms, of which OpenSSL says nothing and Go that they do not match', () => {
    const [der] = samples;
    assert.ok(der !== undefined);
    const tree = parseDer(der);
    // sha256WithRSAEncryption, then sha384WithRSAEncryption (RFC 4055, 5).
    const path = [1, 0];
    const id = at(tree, path);
    assert.ok(typeof id.value === 'string' && id.value.endsWith('\u000b'));
    const other = { ...id, value: `${id.value.slice(0, -1)}\u000c` };
    assert.equal(readAsOpensslReads(encodeDer(withParts(tree, path, [other]))), 'unusual');
  });

  test('is not one with a compressed point: that is read by the other parser', () => {
    const der = samples.find((one) => new X509Certificate(one).publicKey.asymmetricKeyType === 'ec');
    assert.ok(der !== undefined);
    const tree = parseDer(der);
    // tbsCertificate, subjectPublicKeyInfo, subjectPublicKey
    const path = [0, 6, 1];
    const bits = at(tree, path);
    assert.ok(typeof bits.value === 'string' && bits.value.length === 66);
    const isOdd = (bits.value.charCodeAt(65) & 1) === 1;
    const point = `\0${isOdd ? '\u0003' : '\u0002'}${bits.value.slice(2, 34)}`;
    const changed = encodeDer(withParts(tree, path, [{ ...bits, value: point }]));
    const { publicKey } = parseCertificate(changed);
    assert.ok(publicKey instanceof KeyObject && publicKey.equals(new X509Certificate(der).publicKey));
    assert.equal(readAsOpensslReads(changed), 'unusual');
  });

  for (const [what, ...args] of [
    ['RSA-PSS', '-newkey', 'rsa:2048', '-sigopt', 'rsa_padding_mode:pss'],
    ['P-521', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521'],
    ['Ed25519', '-newkey', 'ed25519'],
    ['a name beyond ASCII', '-newkey', 'rsa:2048', '-utf8', '-subj', '/CN=Zürich'],
    ['several attributes in one RDN', '-newkey', 'rsa:2048', '-multivalue-rdn', '-subj', '/O=a+CN=b'],
    ['no name', '-newkey', 'rsa:2048', '-subj', '/'],
  ] as const) {
    test(`is not ${what}: that is read by the other parser`, (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const directory = temporaryDirectory(t);
      const file = join(directory, 'x.crt');
      const subject = args.includes('-subj' as never) ? [] : ['-subj', '/CN=x'];
      execFileSync(
        openssl,
        ['req', '-x509', '-nodes', '-keyout', '/dev/null', '-out', file, ...args, ...subject],
        { cwd: directory, stdio: 'ignore' },
      );
      const [certificate] = parseCertificates(readFileSync(file));
      const x509 = new X509Certificate(readFileSync(file));
      assert.equal(plainPublicKey(parseDer(certificate.der)), undefined);
      assert.deepEqual(certificate.x509.raw, x509.raw);
    });
  }
});
