import { createHash, randomBytes, sign, type KeyObject } from 'node:crypto';
import { parseCertificate, type Certificate } from './certificate.ts';
import {
  contentOf,
  context,
  contextPrimitive,
  encodeDer,
  encoded,
  isUniversal,
  malformed,
  oid,
  parseDer,
  partsOf,
  primitive,
  sequence,
  type Asn1,
} from './der.ts';
import { extensionIds, findExtension, newExtension, type Extension } from './extension.ts';
import type { LocalIssuer } from './issuer.ts';
import type { CertificateProfile } from './profile.ts';
import { encodeTime } from './time.ts';

export interface CertificateRequest {
  readonly profile: CertificateProfile;
  readonly publicKey: KeyObject;
  /** Content bytes of the INTEGER, see {@link randomSerialNumber}. */
  readonly serialNumber: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Builds and signs a leaf certificate (RFC 5280, 4.1). */
export function issueCertificate(issuer: LocalIssuer, request: CertificateRequest): Certificate {
  const algorithm = signatureAlgorithm(issuer.privateKey);
  const tbs = sequence([
    // version [0]: v3 is 2 (RFC 5280, 4.1.2.1)
    context(0, primitive('integer', Buffer.from([2]))),
    primitive('integer', request.serialNumber),
    algorithm.identifier,
    // RFC 5280, 4.1.2.4: exactly the issuer's subject, or the path does not chain.
    encoded(issuer.certificate.subject),
    sequence([encodeTime(request.notBefore), encodeTime(request.notAfter)]),
    encoded(request.profile.subject),
    encoded(request.publicKey.export({ format: 'der', type: 'spki' })),
    context(3, sequence(extensions(issuer, request).map((extension) => encoded(extension.der)))),
  ]);
  // ECDSA: node signs in DER form by default, which is what X.509 holds (RFC 3279, 2.2.3).
  const signature = sign(algorithm.hash, encodeDer(tbs), issuer.privateKey);
  const der = encodeDer(sequence([tbs, algorithm.identifier, bitString(signature)]));
  return parseCertificate(der);
}

/**
 * RFC 5280, 4.1.2.2: positive and at most 20 octets. 16 random bytes whose two top bits are 01 are always positive,
 * never padded, and leave 126 bits to chance.
 * @returns content bytes of the INTEGER
 */
export function randomSerialNumber(): Buffer {
  const serialNumber = randomBytes(16);
  serialNumber[0] = ((serialNumber[0] ?? 0) & 0x3f) | 0x40;
  return serialNumber;
}

function extensions(issuer: LocalIssuer, request: CertificateRequest): Extension[] {
  const authorityKey = sequence([contextPrimitive(0, issuerKeyIdentifier(issuer.certificate))]);
  return [
    ...request.profile.extensions,
    // RFC 5280, 4.2.1.9: cA is FALSE by default, so the sequence is empty. Critical, as kubeadm has it.
    newExtension(extensionIds.basicConstraints, true, sequence([])),
    newExtension(
      extensionIds.subjectKeyIdentifier,
      false,
      primitive('octetString', keyIdentifier(request.publicKey)),
    ),
    // RFC 5280, 4.2.1.1: [0] keyIdentifier must equal the issuer's subject key identifier.
    newExtension(extensionIds.authorityKeyIdentifier, false, authorityKey),
  ];
}

function issuerKeyIdentifier(issuer: Certificate): Buffer {
  const own = findExtension(issuer.extensions, 'subjectKeyIdentifier');
  if (own === undefined) return keyIdentifier(issuer.publicKey);
  const value = parseDer(own.value);
  if (!isUniversal(value, 'octetString')) throw malformed();
  return contentOf(value);
}

// RFC 5280, 4.2.1.2, method (1): SHA-1 of the public key's bits, a name and not a safeguard.
function keyIdentifier(publicKey: KeyObject): Buffer {
  const [, bits] = partsOf(parseDer(publicKey.export({ format: 'der', type: 'spki' })));
  if (!isUniversal(bits, 'bitString')) throw malformed();
  return createHash('sha1').update(contentOf(bits).subarray(1)).digest();
}

// RFC 3279, 2.2.1 and RFC 4055, 5: an RSA identifier has NULL parameters; RFC 5758, 3.2: an ECDSA one has none.
// Hashes are Go's (and so kubeadm's) choice for the key: SHA-384 with P-384.
function signatureAlgorithm(key: KeyObject): { hash: 'sha256' | 'sha384'; identifier: Asn1 } {
  if (key.asymmetricKeyType === 'rsa') {
    const sha256WithRsa = sequence([oid('1.2.840.113549.1.1.11'), primitive('null', Buffer.alloc(0))]);
    return { hash: 'sha256', identifier: sha256WithRsa };
  }
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
    ? { hash: 'sha384', identifier: sequence([oid('1.2.840.10045.4.3.3')]) }
    : { hash: 'sha256', identifier: sequence([oid('1.2.840.10045.4.3.2')]) };
}

function bitString(content: Buffer): Asn1 {
  return primitive('bitString', Buffer.concat([Buffer.from([0]), content]));
}
