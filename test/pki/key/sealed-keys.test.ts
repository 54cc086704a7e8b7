import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import fc from '../../support/properties.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import { encodePrivateKey } from '../../../src/pki/key/private-key.ts';
import { maxSealedBytes, openSealedKeys, sealKeys } from '../../../src/pki/key/sealed-keys.ts';
import { newKey } from '../../support/certificates/made-rotation.ts';
import { judge } from '../../support/judge.ts';

const passphrase = 'correct horse battery stäple';
const keys = [
  { name: 'ca.next.key', pem: encodePrivateKey(newKey()) },
  { name: 'sa.key', pem: encodePrivateKey(newKey()) },
];
const headerBytes = 64;
const notOurs = /^is (?:no file of sealed keys|a file of sealed keys that is cut off)/;
const wrong = 'cannot be opened: wrong passphrase, or the file was changed';

/**
 * Made once by Python 3 and its cryptography package (OpenSSL's scrypt and AES-GCM, by another road):
 *
 *     salt = bytes(range(32)); nonce = bytes(range(64, 76))
 *     header = b'kubepki-sealed-1\n' + bytes([17, 8, 1]) + salt + nonce
 *     key = hashlib.scrypt('correct horse battery stäple'.encode(), salt=salt, n=2**17, r=8, p=1, maxmem=2**28, dklen=32)
 *     plain = json.dumps([{'name': 'ca.next.key', 'pem': '-----BEGIN EC PRIVATE KEY-----\n'}, {'name': 'sa.key', 'pem': ''}],
 *                        separators=(',', ':')).encode()
 *     print((header + AESGCM(key).encrypt(nonce, plain, header)).hex())
 */
const vector = Buffer.from(
  '6b756265706b692d7365616c65642d310a110801000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f' +
    '404142434445464748494a4b3da70fc734dd12a338077fe4cd0a632cf156a35fd19d1f81adcef4e3c90a0cd85c874f223071f724' +
    '393458bb196bef88b290366031370bd7555071e52a97e7a151b08c257687ba473b5f5d848de7a46b3b9b2a836352cee2aa23f88f' +
    '0976ef135c6e33478f7536e3cf8ff753',
  'hex',
);

describe('sealed keys', () => {
  test('are opened with the passphrase, as a text and as bytes', async () => {
    const sealed = await sealKeys(keys, passphrase);
    assert.deepEqual(await openSealedKeys(sealed, Buffer.from(passphrase)), keys);
    assert.deepEqual(await openSealedKeys(await sealKeys(keys, Buffer.from(passphrase)), passphrase), keys);
  });

  test('say nothing of the keys, and are others each time', async () => {
    const [one, other] = [await sealKeys(keys, passphrase), await sealKeys(keys, passphrase)];
    assert.notDeepEqual(one.subarray(headerBytes), other.subarray(headerBytes));
    assert.notDeepEqual(one.subarray(20, headerBytes), other.subarray(20, headerBytes));
    for (const piece of ['PRIVATE', 'next', 'pem']) assert.equal(one.includes(piece), false);
  });

  test('of Python are opened', async () => {
    assert.deepEqual(await openSealedKeys(vector, passphrase), [
      { name: 'ca.next.key', pem: '-----BEGIN EC PRIVATE KEY-----\n' },
      { name: 'sa.key', pem: '' },
    ]);
  });

  test('are opened by openssl, which knows scrypt, and of GCM the counter', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const sealed = await sealKeys(keys, passphrase);
    assert.equal(sealed.subarray(0, 17).toString(), 'kubepki-sealed-1\n');
    const [logN = 0, r = 0, p = 0] = sealed.subarray(17);
    assert.deepEqual([logN, r, p], [17, 8, 1]);
    const hexOf = (bytes: Buffer): string => bytes.toString('hex');
    const options = [
      `hexpass:${hexOf(Buffer.from(passphrase))}`,
      `hexsalt:${hexOf(sealed.subarray(20, 52))}`,
      ...[`n:${String(2 ** logN)}`, `r:${String(r)}`, `p:${String(p)}`, 'maxmem_bytes:300000000'],
    ].flatMap((option) => ['-kdfopt', option]);
    const key = execFileSync(openssl, ['kdf', '-keylen', '32', ...options, 'SCRYPT'])
      .toString()
      .replaceAll(/[:\s]/g, '');
    // NIST SP 800-38D, 7.1: the plaintext is encrypted from the second value of the counter on.
    const counter = `${hexOf(sealed.subarray(52, headerBytes))}00000002`;
    const plain = execFileSync(openssl, ['enc', '-d', '-aes-256-ctr', '-K', key, '-iv', counter], {
      input: sealed.subarray(headerBytes, -16),
    });
    assert.deepEqual(JSON.parse(plain.toString()), keys);
  });

  test('with another passphrase stay closed', async () => {
    for (const other of ['', 'correct horse battery staple', `${passphrase} `, passphrase.normalize('NFD')]) {
      await assert.rejects(openSealedKeys(vector, other), { code: 'bad-key', message: wrong });
    }
  });

  test('in which any bit is another are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: vector.length - 1 }), fc.nat({ max: 7 }), async (index, bit) => {
        const changed = Buffer.from(vector);
        changed[index] = (changed[index] ?? 0) ^ (1 << bit);
        const message = index < 20 ? notOurs : wrong;
        await assert.rejects(openSealedKeys(changed, passphrase), { code: 'bad-key', message });
      }),
      {
        numRuns: 15,
        examples: [
          [0, 0],
          [17, 0],
          [17, 1],
          [18, 7],
          [19, 1],
          [20, 0],
          [63, 7],
          [vector.length - 1, 0],
        ],
      },
    );
  });

  test('that are cut off, too long, or no such file are refused before anything is derived', async () => {
    for (const bytes of [
      Buffer.alloc(0),
      vector.subarray(0, 5),
      vector.subarray(0, headerBytes + 16),
      Buffer.concat([vector, Buffer.alloc(maxSealedBytes)]),
      Buffer.from(keys[0]?.pem ?? ''),
    ]) {
      await assert.rejects(openSealedKeys(bytes, passphrase), { code: 'bad-key', message: notOurs });
    }
  });

  test('random bytes are an error of ours', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, begun) => {
        // Costs that are refused, or nothing would be tried but scrypt.
        const file = begun ? Buffer.concat([vector.subarray(0, 17), Buffer.from([40]), bytes]) : bytes;
        await assert.rejects(openSealedKeys(file, passphrase), KubepkiError);
      }),
    );
  });

  test('hold a few keys with plain names, each once', async () => {
    const key = { name: 'ca.key', pem: '' };
    for (const unsound of [
      [],
      [key, key],
      [{ ...key, name: '../ca.key' }],
      [{ ...key, name: '' }],
      [{ ...key, pem: ' '.repeat(1024 * 1024) }],
      Array.from({ length: 17 }, (_, index) => ({ ...key, name: `key-${String(index)}` })),
    ]) {
      await assert.rejects(sealKeys(unsound, passphrase), TypeError);
    }
  });
});
