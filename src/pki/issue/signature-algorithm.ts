import { contentOf, isContext, isUniversal, oidOf, partsOf, type Asn1 } from '../der/der.ts';

/** An algorithm that Go verifies signatures of, by its OID: content bytes in hex. */
interface SignatureAlgorithm {
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
/** The hashes with their lengths in bytes. */
const sha2: ReadonlyMap<string, number> = new Map([
  ['608648016503040201', 32],
  ['608648016503040202', 48],
  ['608648016503040203', 64],
]);

/**
 * Whether Go, and so every Kubernetes component, verifies signatures of this kind. MD5 and SHA-1 it refuses (crypto/x509,
 * since Go 1.18), DSA and all others it does not know.
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
