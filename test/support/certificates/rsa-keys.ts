import assert from 'node:assert/strict';
import crypto, { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** Public, as every key of the tests is. */
const pem = readFileSync(new URL('rsa-keys.pem', import.meta.url), 'latin1').match(
  /-----BEGIN RSA PRIVATE KEY-----[^-]+-----END RSA PRIVATE KEY-----/g,
);

let taken = 0;

/** Forty, one after the other, and again. */
function nextKey(): KeyObject {
  const keys = pem ?? [];
  const key = keys[taken % keys.length] ?? '';
  taken += 1;
  return createPrivateKey(key);
}

const generate = promisify(crypto.generateKeyPair) as (type: string, options: object) => Promise<object>;

async function generateKept(type: string, options: { readonly modulusLength?: number }): Promise<object> {
  if (type !== 'rsa' || options.modulusLength !== 2048) return generate(type, options);
  const privateKey = nextKey();
  return Promise.resolve({ privateKey, publicKey: createPublicKey(privateKey) });
}

/**
 * node:crypto, but that RSA keys of 2048 bits are there already: to make ten of them takes longer than all the rest of a renewal. The
 * tests that start a process make theirs.
 */
export const cryptoWithKeys = Object.assign(Object.create(crypto) as object, {
  generateKeyPair: Object.assign((): never => assert.fail('only as a promise'), {
    [promisify.custom]: generateKept,
  }),
});
