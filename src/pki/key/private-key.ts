import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { KubepkiError } from '../../errors/error.ts';
import { isContext, parseDer, partsOf } from '../der/der.ts';
import { noSuchBlock, pemBlocks } from '../der/pem.ts';
import { curveKind, foreignKind, keyKind } from './key-kind.ts';
import { ForeignKey, type SubjectKey } from './public-key.ts';

const generate = promisify(generateKeyPair);

/** node's handle on a private key; its bytes leave it only through {@link encodePrivateKey}. */
export type PrivateKey = KeyObject;

/** A key kubepki makes: RSA of 2048 to 4096 bits, ECDSA on P-256 or P-384. */
export type KeyAlgorithm =
  | { readonly type: 'rsa'; readonly bits: number }
  | { readonly type: 'ec'; readonly curve: 'P-256' | 'P-384' };

/** What a key turned out to be: one that kubepki makes, or another by its name. */
type FoundAlgorithm = KeyAlgorithm | { readonly type: 'other'; readonly description: string };

const curves: Readonly<Record<string, 'P-256' | 'P-384'>> = { prime256v1: 'P-256', secp384r1: 'P-384' };

/** The labels of PEM blocks that hold a key, and what each holds. */
const types: Readonly<Record<string, 'pkcs1' | 'sec1' | 'pkcs8'>> = {
  'RSA PRIVATE KEY': 'pkcs1',
  'EC PRIVATE KEY': 'sec1',
  'PRIVATE KEY': 'pkcs8',
};

/**
 * The first private key of a PEM file: PKCS#1, SEC1 or PKCS#8. As kubeadm does, other blocks (EC PARAMETERS) are
 * passed over.
 * @throws KubepkiError bad-key, bad-pem, encrypted-key, unsupported-key
 */
export function parsePrivateKey(bytes: Uint8Array): PrivateKey {
  const blocks = pemBlocks(bytes);
  const isEncrypted = blocks.some(
    ({ label, hasHeaders }) => label === 'ENCRYPTED PRIVATE KEY' || (isKey(label) && hasHeaders),
  );
  if (isEncrypted) {
    throw new KubepkiError('encrypted-key', 'is protected by a passphrase', {
      hint: 'decrypt it into a file only root can read, as kubeadm needs it too: openssl pkey -in FILE -out FILE.plain',
    });
  }
  const block = blocks.find(({ label }) => isKey(label));
  if (block === undefined) {
    throw noSuchBlock('bad-key', bytes, 'private key', 'openssl pkey -inform der -in FILE -out FILE.pem');
  }
  const foreign = foreignKindOf(block.label, block.der);
  if (foreign !== undefined) {
    throw new KubepkiError('unsupported-key', `is a key of the kind ${foreign}`, {
      hint: 'use RSA, or ECDSA on P-256 or P-384: other kinds are not supported',
    });
  }
  try {
    return createPrivateKey({ key: block.der, format: 'der', type: types[block.label] ?? 'pkcs8' });
  } catch {
    // The cause is left out on purpose: an error must never carry a piece of a key.
    throw new KubepkiError('bad-key', 'does not hold a well-formed private key');
  }
}

/** PKCS#1 `RSA PRIVATE KEY` or SEC1 `EC PRIVATE KEY`, as kubeadm writes them. */
export function encodePrivateKey(key: PrivateKey): string {
  const type = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'sec1';
  return key.export({ format: 'pem', type }).toString();
}

/** Runs in the thread pool: start all keys of a set at once and await them together. */
export async function generatePrivateKey(algorithm: KeyAlgorithm): Promise<PrivateKey> {
  const pair =
    algorithm.type === 'rsa'
      ? await generate('rsa', { modulusLength: algorithm.bits })
      : await generate('ec', { namedCurve: algorithm.curve });
  return pair.privateKey;
}

export function publicKeyOf(privateKey: PrivateKey): KeyObject {
  return createPublicKey(privateKey);
}

export function algorithmOf(key: SubjectKey): FoundAlgorithm {
  if (key instanceof ForeignKey) return { type: 'other', description: key.name };
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details } = key;
  if (type === 'rsa' && details?.modulusLength !== undefined) return { type, bits: details.modulusLength };
  const name = details?.namedCurve;
  if (type !== 'ec' || name === undefined) return { type: 'other', description: type };
  const curve = curves[name];
  return curve === undefined ? { type: 'other', description: `ECDSA ${name}` } : { type, curve };
}

/** `RSA-2048`, `ECDSA-P256`: kubeadm's names. */
export function describeAlgorithm(algorithm: FoundAlgorithm): string {
  switch (algorithm.type) {
    case 'rsa':
      return `RSA-${String(algorithm.bits)}`;
    case 'ec':
      return `ECDSA-${algorithm.curve.replace('-', '')}`;
    case 'other':
      return algorithm.description;
  }
}

function isKey(label: string): boolean {
  return Object.hasOwn(types, label);
}

/** A key that is not well-formed has no kind: node:crypto has the last word on it. */
function foreignKindOf(label: string, der: Buffer): string | undefined {
  // PKCS#1 is for RSA alone.
  if (label === 'RSA PRIVATE KEY') return undefined;
  try {
    const parts = partsOf(parseDer(der));
    // PrivateKeyInfo ::= SEQUENCE { version, privateKeyAlgorithm, privateKey, … } (RFC 5208, 5)
    if (label === 'PRIVATE KEY') return foreignKind(keyKind(parts[1]));
    // ECPrivateKey ::= SEQUENCE { version, privateKey, parameters [0], … } (RFC 5915, 3)
    const parameters = parts.find((part) => isContext(part, 0));
    return parameters && foreignKind(curveKind(partsOf(parameters)[0]));
  } catch {
    return undefined;
  }
}
