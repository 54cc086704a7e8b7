import { contentOf, encodeDer, isUniversal, partsOf, primitive, type Asn1 } from './der.ts';

// Content bytes of the OIDs, in hex. RFC 4055, 5; RFC 5758, 3.2; RFC 8410, 3.
const sound: ReadonlySet<string> = new Set([
  '2a864886f70d01010b', // sha256WithRSAEncryption
  '2a864886f70d01010c', // sha384WithRSAEncryption
  '2a864886f70d01010d', // sha512WithRSAEncryption
  '2a8648ce3d040302', // ecdsa-with-SHA256
  '2a8648ce3d040303', // ecdsa-with-SHA384
  '2a8648ce3d040304', // ecdsa-with-SHA512
  '2b6570', // Ed25519
]);
const rsassaPss = '2a864886f70d01010a';
const sha2 = ['608648016503040201', '608648016503040202', '608648016503040203'].map((id) =>
  encodeDer(primitive('oid', Buffer.from(id, 'hex'))),
);

/**
 * Whether Go, and so every Kubernetes component, verifies signatures of this kind. MD5 and SHA-1 it refuses (crypto/x509,
 * since Go 1.18), DSA and all others it does not know.
 */
export function isSoundAlgorithm(identifier: Asn1): boolean {
  const [id] = partsOf(identifier);
  if (!isUniversal(id, 'oid')) return false;
  const hex = contentOf(id).toString('hex');
  if (hex !== rsassaPss) return sound.has(hex);
  // RFC 4055, 3.1: the hash is among the parameters; where they say nothing it is SHA-1.
  const der = encodeDer(identifier);
  return sha2.some((hash) => der.includes(hash));
}
