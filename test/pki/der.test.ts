import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import asn1, { type Asn1 } from 'node-forge/lib/asn1.js';
import { encodeDer, parseDer } from '../../src/pki/der.ts';
import { attributesOf } from '../../src/pki/name.ts';
import { parseCertificates } from '../../src/pki/certificate.ts';
import { KubepkiError } from '../../src/errors/error.ts';
import { judge } from '../support/judge.ts';
import { temporaryDirectory } from '../support/tree.ts';

const { value: anyAsn1 } = fc.letrec<{ value: Asn1; primitive: Asn1; constructed: Asn1 }>((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, tie('primitive'), tie('constructed')),
  primitive: fc
    .record({
      tagClass: fc.constantFrom(asn1.Class.UNIVERSAL, asn1.Class.CONTEXT_SPECIFIC),
      type: fc.integer({ min: 1, max: 30 }),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ minLength: 66_000, maxLength: 66_000 }),
      ),
    })
    .map(({ tagClass, type, bytes }) =>
      asn1.create(tagClass, type, false, Buffer.from(bytes).toString('latin1')),
    ),
  constructed: fc
    .array(tie('value'), { maxLength: 4 })
    .map((parts) => asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, parts)),
}));

suite('DER', () => {
  test("what is encoded is what forge's encoder makes of it", () => {
    fc.assert(
      fc.property(anyAsn1, (value) => {
        assert.equal(
          encodeDer(value).toString('hex'),
          Buffer.from(asn1.toDer(value).getBytes(), 'latin1').toString('hex'),
        );
      }),
    );
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
