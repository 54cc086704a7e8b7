import { isUniversal, oidOf, partsOf, tagged, type Asn1 } from '../der/der.ts';

/** What a key is by its AlgorithmIdentifier alone, whatever kinds a library knows. */
type KeyKind =
  | { readonly type: 'rsa' }
  | { readonly type: 'ec'; readonly curve: 'P-256' | 'P-384' }
  /** Anything else; `name` as a person reads it. `common`: OpenSSL knows it, and so does BoringSSL, which Bun has. */
  | { readonly type: 'other'; readonly name: string; readonly common: boolean };

// Content bytes of the OIDs, in hex. RFC 3279, 2.3.1; RFC 5480, 2.1; RFC 8410, 3; RFC 5639, 3.
const rsaEncryption = '2a864886f70d010101';
const ecPublicKey = '2a8648ce3d0201';
const curves: Readonly<Record<string, 'P-256' | 'P-384'>> = {
  '2a8648ce3d030107': 'P-256',
  '2b81040022': 'P-384',
};
const commonNames: Readonly<Record<string, string>> = {
  '2b81040021': 'ECDSA P-224',
  '2b81040023': 'ECDSA P-521',
  '2b6570': 'Ed25519',
};
const otherNames: Readonly<Record<string, string>> = {
  '2b8104000a': 'ECDSA secp256k1',
  '2b2403030208010107': 'ECDSA brainpoolP256r1',
  '2b240303020801010b': 'ECDSA brainpoolP384r1',
  '2b6571': 'Ed448',
  '2a864886f70d01010a': 'RSA-PSS',
  '2a8648ce380401': 'DSA',
};

/**
 * @param algorithm AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }
 * @throws KubepkiError bad-certificate
 */
export function keyKind(algorithm: Asn1 | undefined): KeyKind {
  const [id, parameters] = partsOf(tagged('sequence', algorithm));
  const algorithmId = oidOf(id);
  if (algorithmId === rsaEncryption) return { type: 'rsa' };
  return algorithmId === ecPublicKey ? curveKind(parameters) : other(algorithmId);
}

/** @param parameters ECParameters (RFC 5480, 2.1.1) */
export function curveKind(parameters: Asn1 | undefined): KeyKind {
  // OpenSSL recognises some curves that are spelled out in numbers. Go reads none.
  if (!isUniversal(parameters, 'oid')) {
    return { type: 'other', name: 'ECDSA with explicit parameters', common: false };
  }
  const curveId = oidOf(parameters);
  const curve = curves[curveId];
  return curve === undefined ? other(curveId) : { type: 'ec', curve };
}

/** The name of a kind that not every runtime knows; undefined for others. */
export function foreignKind(kind: KeyKind): string | undefined {
  return kind.type === 'other' && !kind.common ? kind.name : undefined;
}

function other(id: string): KeyKind {
  const name = commonNames[id] ?? otherNames[id] ?? `key of kind ${id}`;
  return { type: 'other', name, common: id in commonNames };
}
