import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  algorithmOf,
  describeAlgorithm,
  encodePrivateKey,
  generatePrivateKey,
  parsePrivateKey,
  type KeyAlgorithm,
} from '../../../src/pki/key/private-key.ts';
import { judge } from '../../support/judge.ts';
import { temporaryDirectory } from '../../support/tree.ts';

const algorithms: readonly (readonly [KeyAlgorithm, string, RegExp])[] = [
  [{ type: 'rsa', bits: 2048 }, 'RSA PRIVATE KEY', /2048 bit/],
  [{ type: 'rsa', bits: 3072 }, 'RSA PRIVATE KEY', /3072 bit/],
  [{ type: 'ec', curve: 'P-256' }, 'EC PRIVATE KEY', /P-256/],
  [{ type: 'ec', curve: 'P-384' }, 'EC PRIVATE KEY', /P-384/],
];

describe('private keys', () => {
  for (const [algorithm, label, shown] of algorithms) {
    test(`${describeAlgorithm(algorithm)} is written as ${label}, and openssl agrees`, async (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const key = await generatePrivateKey(algorithm);
      const pem = encodePrivateKey(key);
      assert.ok(pem.startsWith(`-----BEGIN ${label}-----\n`));
      assert.deepEqual(algorithmOf(parsePrivateKey(Buffer.from(pem))), algorithm);
      const path = join(temporaryDirectory(t), 'key');
      writeFileSync(path, pem, { mode: 0o600 });
      const text = execFileSync(openssl, ['pkey', '-in', path, '-noout', '-text', '-check']).toString();
      assert.match(text, shown);
      assert.match(text, /Key is valid/);
    });
  }

  test('PKCS#8 is read, and a preceding EC PARAMETERS block is passed over', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const pkcs8 = execFileSync(
      openssl,
      ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
      {
        stdio: 'pipe',
      },
    );
    assert.match(pkcs8.toString(), /BEGIN PRIVATE KEY/);
    assert.deepEqual(algorithmOf(parsePrivateKey(pkcs8)), { type: 'ec', curve: 'P-256' });
    const withParameters = execFileSync(openssl, ['ecparam', '-name', 'secp384r1', '-genkey'], {
      stdio: 'pipe',
    });
    assert.match(withParameters.toString(), /BEGIN EC PARAMETERS/);
    assert.deepEqual(algorithmOf(parsePrivateKey(withParameters)), { type: 'ec', curve: 'P-384' });
  });

  test('a passphrase is named as what is wrong, in both forms', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const traditional = ['genrsa', '-traditional', '-aes128', '-passout', 'pass:secret', '2048'];
    const pkcs8 = ['genpkey', '-algorithm', 'RSA', '-aes-128-cbc', '-pass', 'pass:secret'];
    for (const args of [traditional, pkcs8]) {
      const pem = execFileSync(openssl, args, { stdio: 'pipe' });
      assert.throws(() => parsePrivateKey(pem), {
        code: 'encrypted-key',
        message: 'is protected by a passphrase',
      });
    }
  });

  test('an error never quotes the key', () => {
    const secret = Buffer.from('not a key but secret all the same').toString('base64');
    const pem = `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END RSA PRIVATE KEY-----\n`;
    assert.throws(
      () => parsePrivateKey(Buffer.from(pem)),
      (error: Error) => {
        assert.equal(error.message, 'does not hold a well-formed private key');
        assert.ok(!JSON.stringify([error, error.cause, error.stack]).includes(secret.slice(0, 10)));
        return true;
      },
    );
  });
});
