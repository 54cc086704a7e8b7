import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodePem, noSuchBlock, pemBlocks, replaceBlocks } from '../../../src/pki/der/pem.ts';
import fc from '../../support/properties.ts';

const block = (label: string, body: string): string =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
const labels = (text: string): string[] => pemBlocks(Buffer.from(text)).map(({ label }) => label);

describe('PEM', () => {
  test('blocks come in order, text around them and CRLF do not matter', () => {
    const text = `Subject: CN=x\r\n${block('CERTIFICATE', 'AQID')}between\n${block('EC PARAMETERS', 'BAUG')}`;
    const blocks = pemBlocks(Buffer.from(text.replaceAll('\n', '\r\n')));
    assert.deepEqual(
      blocks.map(({ label, der }) => [label, der.toString('hex')]),
      [
        ['CERTIFICATE', '010203'],
        ['EC PARAMETERS', '040506'],
      ],
    );
  });

  test('a block that is cut off, closed by another label, or not base64 is passed over, and the next one is found', () => {
    const good = block('CERTIFICATE', 'AQID');
    assert.deepEqual(labels(`-----BEGIN CERTIFICATE-----\nAQID\n${good}`), ['CERTIFICATE']);
    assert.deepEqual(labels(`-----BEGIN CERTIFICATE-----\nAQID\n-----END X-----\n${good}`), ['CERTIFICATE']);
    assert.deepEqual(labels(block('CERTIFICATE', 'not base64!') + good), ['CERTIFICATE']);
    assert.deepEqual(labels(block('CERTIFICATE', 'AQI')), []);
    assert.deepEqual(labels('-----BEGIN CERTIFICATE-----\nAQID\n'), []);
  });

  test('headers are noticed', () => {
    const [encrypted] = pemBlocks(
      Buffer.from(block('RSA PRIVATE KEY', 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAQID')),
    );
    assert.equal(encrypted?.hasHeaders, true);
    assert.equal(encrypted.der.toString('hex'), '010203');
  });

  test('encoding gives lines of 64 characters and decodes to the same bytes', () => {
    const der = Buffer.from(Array.from({ length: 100 }, (_, index) => index));
    const pem = encodePem('CERTIFICATE', der);
    const lines = pem.split('\n');
    assert.deepEqual(
      lines.map((line) => line.length),
      [27, 64, 64, 8, 25, 0],
    );
    assert.deepEqual(pemBlocks(Buffer.from(pem))[0]?.der, der);
  });

  test('says why a file holds no certificate', () => {
    const why = (bytes: Buffer): string => noSuchBlock('bad-certificate', bytes, 'certificate', 'x').message;
    assert.equal(why(Buffer.alloc(0)), 'is empty');
    assert.equal(why(Buffer.from([0x30, 0x82, 1, 1])), 'is DER, not PEM');
    assert.equal(why(Buffer.from('garbage')), 'is not PEM: no certificate found');
    assert.equal(
      why(Buffer.from(block('RSA PRIVATE KEY', 'AQID'))),
      'holds no certificate, but a PEM block RSA PRIVATE KEY',
    );
  });

  test('blocks are replaced where they stand, and every other byte stays', () => {
    const text = fc.array(
      fc.oneof(
        fc.record({ der: fc.uint8Array({ minLength: 1, maxLength: 90 }), replaced: fc.boolean() }),
        // What is between them begins no block.
        fc.string().filter((between) => !/-----|[\r\n]/.test(between)),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(text, fc.constantFrom('\n', '\r\n'), fc.boolean(), (parts, lineEnd, isCutOff) => {
        const next = Buffer.from('next');
        const written = (isAfter: boolean): Buffer => {
          const lines = parts.map((part) => {
            if (typeof part === 'string') return `${part}\n`;
            const der = isAfter && part.replaced ? next : Buffer.from(part.der);
            return encodePem('CERTIFICATE', der);
          });
          const whole = Buffer.from(lines.join('').replaceAll('\n', lineEnd));
          return isCutOff ? whole.subarray(0, whole.length - lineEnd.length) : whole;
        };
        const before = written(false);
        let index = 0;
        const replaced = parts.flatMap((part) => (typeof part === 'string' ? [] : [part.replaced]));
        // A file without any line end has none to go by.
        fc.pre(lineEnd === '\n' || before.includes(lineEnd));
        const after = replaceBlocks(before, () => (replaced[index++] === true ? next : undefined));
        assert.deepEqual(after, written(true));
      }),
    );
  });
});
