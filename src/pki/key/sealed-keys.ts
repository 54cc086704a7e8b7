import { createCipheriv, createDecipheriv, randomBytes, scrypt, type DecipherGCM } from 'node:crypto';
import { KubepkiError } from '../../errors/error.ts';

/** A private key on its way to another machine. */
export interface KeyToSeal {
  readonly name: string;
  readonly pem: string;
}

/**
 * A file of sealed keys. What stands before the ciphertext is authenticated with it:
 *
 * | bytes | what |
 * | --- | --- |
 * | 17 | `kubepki-sealed-1` and a line feed |
 * | 1, 1, 1 | of scrypt (RFC 7914): the binary logarithm of N, r, p |
 * | 32 | salt |
 * | 12 | nonce of AES-256-GCM (NIST SP 800-38D) |
 * | rest but 16 | JSON: the names and the keys |
 * | 16 | authentication tag |
 */
const magic = Buffer.from('kubepki-sealed-1\n', 'latin1');
const saltBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const parameterBytes = 3;
const headerBytes = magic.length + parameterBytes + saltBytes + nonceBytes;

interface Cost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** 128 MiB of memory and most of a second for each guess. */
const ours: Cost = { logN: 17, r: 8, p: 1 };
/** The file says what it takes to open it, and is not trusted yet: at most 256 MiB, and a few seconds. */
const most: Cost = { logN: 18, r: 8, p: 2 };

const maxPlaintextBytes = 256 * 1024;
/** No file of sealed keys is larger. */
export const maxSealedBytes = headerBytes + maxPlaintextBytes + tagBytes;
const maxKeys = 16;
const validName = /^[a-z0-9][a-z0-9.-]{0,63}$/;

/**
 * Private keys as a file that is opened with the passphrase only. The same keys make another file each time.
 * @throws TypeError for names that are not plain or that are there twice, or for too many keys
 */
export async function sealKeys(keys: readonly KeyToSeal[], passphrase: string | Buffer): Promise<Buffer> {
  if (!areSound(keys)) throw new TypeError('keys that no file of sealed keys can hold');
  const { logN, r, p } = ours;
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const header = Buffer.concat([magic, Buffer.from([logN, r, p]), salt, nonce]);
  const plaintext = Buffer.from(JSON.stringify(keys.map(({ name, pem }) => ({ name, pem }))));
  const key = await derive(passphrase, salt, ours);
  try {
    if (plaintext.length > maxPlaintextBytes) throw new TypeError('keys that are too large to be sealed');
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(header);
    return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  } finally {
    wipe(key, plaintext);
  }
}

/**
 * @returns the keys in the order in which they were sealed; what they are is not looked at
 * @throws KubepkiError bad-key for what is no such file; for a wrong passphrase or a file that was changed, which cannot be told apart
 */
export async function openSealedKeys(
  bytes: Uint8Array,
  passphrase: string | Buffer,
): Promise<readonly KeyToSeal[]> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cost = costIn(file);
  const header = file.subarray(0, headerBytes);
  const nonce = header.subarray(headerBytes - nonceBytes);
  const salt = header.subarray(magic.length + parameterBytes, headerBytes - nonceBytes);
  const key = await derive(passphrase, salt, cost);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(header);
  decipher.setAuthTag(file.subarray(file.length - tagBytes));
  const plaintext = decipher.update(file.subarray(headerBytes, file.length - tagBytes));
  try {
    requireAuthentic(decipher);
    return keysIn(plaintext);
  } finally {
    wipe(key, plaintext);
  }
}

function requireAuthentic(decipher: DecipherGCM): void {
  try {
    decipher.final();
  } catch {
    // All that is known is that the tag does not fit.
    throw new KubepkiError('bad-key', 'cannot be opened: wrong passphrase, or the file was changed', {
      hint: 'give the passphrase that it was sealed with; if that is right, carry the file over once more',
    });
  }
}

/** Whether a file says that it is one of sealed keys. */
export function isSealed(file: Buffer): boolean {
  return file.subarray(0, magic.length).equals(magic);
}

function costIn(file: Buffer): Cost {
  if (!isSealed(file)) {
    throw new KubepkiError('bad-key', 'is no file of sealed keys of this version of kubepki');
  }
  const [logN = 0, r = 0, p = 0] = file.subarray(magic.length);
  const isWithin = logN >= ours.logN && logN <= most.logN && r === ours.r && p >= ours.p && p <= most.p;
  if (isWithin && file.length > headerBytes + tagBytes && file.length <= maxSealedBytes)
    return { logN, r, p };
  throw new KubepkiError('bad-key', 'is a file of sealed keys that is cut off or damaged', {
    hint: 'carry it over once more',
  });
}

function derive(passphrase: string | Buffer, salt: Buffer, { logN, r, p }: Cost): Promise<Buffer> {
  const N = 2 ** logN;
  // What OpenSSL takes: 128 * N * r, and a little for p.
  const options = { N, r, p, maxmem: 128 * r * (N + p + 2) + 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, 32, options, (error, key) => {
      // Bun says undefined where node says null.
      if (error instanceof Error) reject(error);
      else resolve(key);
    });
  });
}

/** A file that passes was sealed with the passphrase: what is wrong then is another version's, or no work of ours. */
function keysIn(plaintext: Buffer): readonly KeyToSeal[] {
  const stored = jsonIn(plaintext);
  if (Array.isArray(stored) && stored.every(isKeyToSeal) && areSound(stored)) return stored;
  throw new KubepkiError(
    'bad-key',
    'is opened, and does not hold keys as this version of kubepki seals them',
  );
}

function jsonIn(plaintext: Buffer): unknown {
  try {
    return JSON.parse(plaintext.toString('utf8'));
  } catch {
    // The cause quotes what was read, which may be a piece of a key.
    return undefined;
  }
}

function isKeyToSeal(value: unknown): value is KeyToSeal {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('pem' in value)) return false;
  return typeof value.name === 'string' && typeof value.pem === 'string' && Object.keys(value).length === 2;
}

function areSound(keys: readonly KeyToSeal[]): boolean {
  const names = new Set(keys.map(({ name }) => name));
  const enough = keys.length > 0 && keys.length <= maxKeys && names.size === keys.length;
  return enough && keys.every(({ name }) => validName.test(name));
}

function wipe(...secrets: readonly Buffer[]): void {
  for (const secret of secrets) secret.fill(0);
}
