import { sign, verify, type KeyObject } from 'node:crypto';
import {
  bitString,
  contentOf,
  encodeDer,
  isContext,
  isUniversal,
  oid,
  oidOf,
  partsOf,
  primitive,
  sequence,
  type Asn1,
} from '../der/der.ts';

/** An algorithm whose signatures Go verifies. */
interface SignatureAlgorithm {
  /** Content bytes of its OID, in hex. */
  readonly id: string;
  readonly kind: 'rsa' | 'ec';
  readonly hash: 'sha256' | 'sha384' | 'sha512';
}

// RFC 4055, 5; RFC 5758, 3.2.
export const signatureAlgorithms: readonly SignatureAlgorithm[] = [
  { id: '2a864886f70d01010b', kind: 'rsa', hash: 'sha256' },
  { id: '2a864886f70d01010c', kind: 'rsa', hash: 'sha384' },
  { id: '2a864886f70d01010d', kind: 'rsa', hash: 'sha512' },
  { id: '2a8648ce3d040302', kind: 'ec', hash: 'sha256' },
  { id: '2a8648ce3d040303', kind: 'ec', hash: 'sha384' },
  { id: '2a8648ce3d040304', kind: 'ec', hash: 'sha512' },
];
// RFC 8410, 3.
const ed25519 = '2b6570';
const rsassaPss = '2a864886f70d01010a';
// The hashes with their lengths in bytes.
const sha2: ReadonlyMap<string, number> = new Map([
  ['608648016503040201', 32],
  ['608648016503040202', 48],
  ['608648016503040203', 64],
]);

/**
 * Whether Go, and so every Kubernetes component, verifies signatures of this kind. Go refuses MD5 and SHA-1 (crypto/x509, since
 * Go 1.18), and does not know DSA or any other.
 */
export function isSoundAlgorithm(identifier: Asn1): boolean {
  const [id, parameters] = partsOf(identifier);
  const hex = idOf(id);
  if (hex === rsassaPss) return isSoundPss(parameters);
  return hex === ed25519 || signatureAlgorithms.some(({ id: known }) => known === hex);
}

/**
 * RSASSA-PSS-params ::= SEQUENCE { [0] hash, [1] mask generation, [2] saltLength, [3] trailerField } (RFC 4055, 3.1). Go
 * takes them only where the mask is made with the same hash and the salt is as long as it.
 */
function isSoundPss(parameters: Asn1 | undefined): boolean {
  if (!isUniversal(parameters, 'sequence')) return false;
  const field = (tag: number): Asn1 | undefined => {
    const found = partsOf(parameters).find((part) => isContext(part, tag));
    return found && partsOf(found)[0];
  };
  const [hash, mask, salt] = [field(0), field(1), field(2)];
  const hashId = hash && idOf(partsOf(hash)[0]);
  const maskHash = mask && partsOf(mask)[1];
  if (hashId === undefined || maskHash === undefined || salt === undefined) return false;
  const saltLength = Number.parseInt(contentOf(salt).toString('hex'), 16);
  return idOf(partsOf(maskHash)[0]) === hashId && sha2.get(hashId) === saltLength && field(3) === undefined;
}

function idOf(value: Asn1 | undefined): string | undefined {
  return isUniversal(value, 'oid') ? oidOf(value) : undefined;
}

// The curves that Go has, by OpenSSL's names, with the hash that Go chooses for each (crypto/x509, signingParamsForKey). kubeadm
// signs with any ECDSA key that Go reads.
const curveHashes: Readonly<Record<string, string>> = {
  secp224r1: 'sha256',
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/** Whether Kubernetes verifies what such a key signs: RSA of any size, or ECDSA on a curve that Go has. */
export function isSigningKey(key: KeyObject): boolean {
  return hashFor(key) !== undefined;
}

/** @throws TypeError for a key that is no {@link isSigningKey} */
export function signatureAlgorithm(key: KeyObject): { readonly hash: string; readonly identifier: Asn1 } {
  const wanted = hashFor(key);
  const found = signatureAlgorithms.find(
    ({ kind, hash }) => kind === key.asymmetricKeyType && hash === wanted,
  );
  if (found === undefined) throw new TypeError('a key that signs nothing');
  // RSA has NULL for its parameters (RFC 3279, 2.2.1; RFC 4055, 5), ECDSA none (RFC 5758, 3.2).
  const parameters = found.kind === 'rsa' ? [primitive('null', Buffer.alloc(0))] : [];
  return { hash: found.hash, identifier: sequence([oid(found.id), ...parameters]) };
}

function hashFor({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType === 'rsa') return 'sha256';
  return asymmetricKeyType === 'ec' ? curveHashes[asymmetricKeyDetails?.namedCurve ?? ''] : undefined;
}

/**
 * What all that X.509 signs has in common: SEQUENCE { content, algorithm, signature }. node writes the signature of an ECDSA key in
 * DER by default, as X.509 has it (RFC 3279, 2.2.3).
 */
export function signed(content: Asn1, key: KeyObject): Buffer {
  const { hash, identifier } = signatureAlgorithm(key);
  return encodeDer(sequence([content, identifier, bitString(sign(hash, encodeDer(content), key))]));
}

/** Whether a signature that {@link signed} makes is the key's. */
export function isSignedBy(content: Buffer, signature: Buffer, publicKey: KeyObject): boolean {
  return verify(signatureAlgorithm(publicKey).hash, content, publicKey, signature);
}
