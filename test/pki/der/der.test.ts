import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { encodeDer, parseDer, primitive, sequence, type Asn1 } from '../../../src/pki/der/der.ts';
import { attributesOf } from '../../../src/pki/der/name.ts';
import { parseCertificates } from '../../../src/pki/certificate/certificate.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import { judge } from '../../support/judge.ts';
import fc from '../../support/properties.ts';
import { fixturePath, temporaryDirectory } from '../../support/tree.ts';

const { value: anyAsn1 } = fc.letrec<{ value: Asn1; primitive: Asn1; constructed: Asn1 }>((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, tie('primitive'), tie('constructed')),
  primitive: fc
    .record({
      tagClass: fc.constantFrom(0, 0x80),
      type: fc.integer({ min: 1, max: 30 }),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ minLength: 66_000, maxLength: 66_000 }),
      ),
    })
    .map(({ tagClass, type, bytes }) => ({
      ...primitive('octetString', Buffer.from(bytes)),
      tagClass,
      type,
    })),
  constructed: fc.array(tie('value'), { maxLength: 4 }).map(sequence),
}));

type Reading = 'refused' | 'read';

/** What is read is written back as the same bytes; the rest is refused, and nothing else happens. */
function read(der: Buffer): Reading {
  let value: Asn1;
  try {
    value = parseDer(der);
  } catch (error) {
    assert.ok(error instanceof KubepkiError);
    return 'refused';
  }
  assert.deepEqual(encodeDer(value), der);
  return 'read';
}

const certificates = ['stacked-etcd-rsa', 'stacked-etcd-ecdsa', 'ipv6'].map(
  (role) => new X509Certificate(readFileSync(fixturePath(role, 'etc/kubernetes/pki/apiserver.crt'))).raw,
);

suite('DER', () => {
  test('whatever the bytes are, they are read and written back as they are, or refused', () => {
    for (const der of certificates) assert.equal(read(der), 'read');
    const counts = { refused: 0, read: 0 };
    const count = (der: Buffer): void => {
      counts[read(der)] += 1;
    };
    fc.assert(fc.property(anyAsn1.map(encodeDer), count), { numRuns: 300 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
          // An integer that is too long or empty, a BMPString, a tag of several bytes, in every class.
          fc
            .tuple(
              fc.constantFrom(0x02, 0x1e, 0x1f, 0x3f, 0x82, 0x9e, 0x9f),
              fc.array(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), { maxLength: 6 }),
            )
            .map(([tag, bytes]) => Buffer.from([tag, bytes.length, ...bytes])),
          // Numbers and lengths at the borders of what is shortest.
          fc
            .array(fc.constantFrom(0, 1, 2, 3, 0x1e, 0x1f, 0x30, 0x7f, 0x80, 0x81, 0x82, 0xa0, 0xff), {
              maxLength: 8,
            })
            .map((bytes) => Buffer.from(bytes)),
        ),
        count,
      ),
      { numRuns: 20_000 },
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...certificates),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }),
        (der, bytes) => {
          const changed = Buffer.from(der);
          for (const [where, byte] of bytes) changed[where % changed.length] = byte;
          count(changed);
        },
      ),
      { numRuns: 5_000 },
    );
    // Else it has shown nothing.
    assert.ok(
      Object.values(counts).every((count) => count > 200),
      JSON.stringify(counts),
    );
  });

  test('lengths of one byte to three, each as short as it can be and one byte longer', () => {
    for (const length of [0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000]) {
      const content = Buffer.alloc(length, 7);
      const der = encodeDer(primitive('octetString', content));
      assert.equal(read(der), 'read');
      assert.equal(read(der.subarray(0, -1)), 'refused');
      assert.equal(read(Buffer.concat([der, Buffer.alloc(1)])), 'refused');
      const bytes = der.length - length - 2;
      const longer = Buffer.concat([
        Buffer.from([4, 0x80 | (bytes + 1), 0]),
        bytes === 0 ? der.subarray(1, 2) : der.subarray(2, 2 + bytes),
        content,
      ]);
      assert.equal(read(longer), 'refused');
    }
  });

  test('however deep it nests, it is read or refused', () => {
    const nested = (depth: number): Asn1 => sequence(depth === 0 ? [] : [nested(depth - 1)]);
    assert.equal(read(encodeDer(nested(10))), 'read');
    assert.equal(read(encodeDer(nested(200))), 'read');
    assert.equal(read(Buffer.alloc(100_000, '3080', 'hex')), 'refused');
    // Each length is right, up to where the input ends.
    assert.equal(read(Buffer.alloc(800_000, '30830c3500', 'hex')), 'refused');
  });

  test('a number with a byte too many, or a length with one, is no DER', () => {
    for (const hex of ['02020001', '0202ff80', '0281017f', '30810302017f']) {
      assert.throws(() => parseDer(Buffer.from(hex, 'hex')), KubepkiError, hex);
    }
    for (const hex of ['020100', '02020080', '0202ff7f', '02017f', '30030201ff']) {
      assert.equal(encodeDer(parseDer(Buffer.from(hex, 'hex'))).toString('hex'), hex);
    }
  });

  test('a name of two octets a character (BMPString), as openssl writes it', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const directory = temporaryDirectory(t);
    const config = join(directory, 'config');
    const section = [
      '[req]',
      'distinguished_name = name',
      'string_mask = MASK:0x800',
      'utf8 = yes',
      'prompt = no',
    ];
    writeFileSync(config, [...section, '[name]', 'CN = Köln ✓', 'O = odd', ''].join('\n'));
    const certificate = join(directory, 'certificate');
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      join(directory, 'key'),
    ];
    execFileSync(openssl, ['req', '-x509', '-config', config, ...key, '-out', certificate], {
      stdio: 'ignore',
    });
    const bytes = execFileSync(openssl, ['x509', '-in', certificate]);
    const [leaf] = parseCertificates(bytes);
    assert.match(leaf.subject.toString('hex'), /1e0c004b00f6006c006e00202713/);
    assert.deepEqual(attributesOf(leaf.subject), ['CN=Köln ✓', 'O=odd']);
  });
});
