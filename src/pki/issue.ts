import { createHash, randomBytes, type KeyObject } from 'node:crypto';
import { parseCertificate, type Certificate } from './certificate.ts';
import {
  contentOf,
  context,
  contextPrimitive,
  encodeDer,
  encoded,
  isUniversal,
  malformed,
  parseDer,
  partsOf,
  primitive,
  sequence,
} from './der.ts';
import { extensionIds, findExtension, newExtension, type Extension } from './extension.ts';
import type { LocalIssuer } from './issuer.ts';
import type { CertificateProfile } from './profile.ts';
import { signatureAlgorithm, signatureOf } from './signature.ts';
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
  const { identifier } = signatureAlgorithm(issuer.privateKey);
  const tbs = sequence([
    // version [0]: v3 is 2 (RFC 5280, 4.1.2.1)
    context(0, primitive('integer', Buffer.from([2]))),
    primitive('integer', request.serialNumber),
    identifier,
    // RFC 5280, 4.1.2.4: exactly the issuer's subject, or the path does not chain.
    encoded(issuer.certificate.subject),
    sequence([encodeTime(request.notBefore), encodeTime(request.notAfter)]),
    encoded(request.profile.subject),
    encoded(request.publicKey.export({ format: 'der', type: 'spki' })),
    context(3, sequence(extensions(issuer, request).map((extension) => encoded(extension.der)))),
  ]);
  const signature = signatureOf(encodeDer(tbs), issuer.privateKey);
  return parseCertificate(encodeDer(sequence([tbs, identifier, signature])));
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
