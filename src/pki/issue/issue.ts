import { createHash, randomBytes, type KeyObject } from 'node:crypto';
import { parseCertificate, type Certificate } from '../certificate/certificate.ts';
import {
  contentOf,
  context,
  contextPrimitive,
  parseDer,
  partsOf,
  primitive,
  sequence,
  tagged,
} from '../der/der.ts';
import { extensionIds, findExtension, newExtension, type Extension } from '../extension/extension.ts';
import { keyUsage } from '../extension/key-usage.ts';
import { distinguishedName } from '../der/name.ts';
import { publicKeyOf, type PrivateKey } from '../key/private-key.ts';
import { subjectAltName } from '../extension/subject-alt-name.ts';
import { encodeTime } from '../der/time.ts';
import type { LocalIssuer } from './issuer.ts';
import type { CertificateProfile } from './profile.ts';
import { signatureAlgorithm, signed } from './signature.ts';

interface CertificateRequest {
  readonly profile: CertificateProfile;
  readonly publicKey: KeyObject;
  /** Content bytes of the INTEGER, see {@link randomSerialNumber}. */
  readonly serialNumber: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

type Issuance = Pick<CertificateRequest, 'serialNumber' | 'notBefore' | 'notAfter'>;

/** Builds and signs a leaf certificate (RFC 5280, 4.1). */
export function issueCertificate(issuer: LocalIssuer, request: CertificateRequest): Certificate {
  return signCertificate({
    ...request,
    // RFC 5280, 4.1.2.4: exactly the issuer's subject, or the path does not chain.
    issuerName: issuer.certificate.subject,
    subject: request.profile.subject,
    extensions: extensions(issuer, request),
    signer: issuer.privateKey,
  });
}

interface AuthorityRequest extends Issuance {
  readonly commonName: string;
  readonly privateKey: PrivateKey;
}

/** Builds a CA that signs itself, with the properties that kubeadm (1.31) gives it. */
export function issueAuthority({ commonName, privateKey, ...request }: AuthorityRequest): Certificate {
  const name = distinguishedName([], commonName);
  const publicKey = publicKeyOf(privateKey);
  const names = subjectAltName([commonName], []);
  return signCertificate({
    ...request,
    publicKey,
    issuerName: name,
    subject: name,
    extensions: [
      keyUsage(['digitalSignature', 'keyEncipherment', 'keyCertSign']),
      newExtension(
        extensionIds.basicConstraints,
        true,
        sequence([primitive('boolean', Buffer.from([0xff]))]),
      ),
      subjectKeyIdentifier(publicKey),
      // RFC 5280, 4.2.1.1: a self-signed certificate may leave the authority key identifier out, as Go does.
      ...(names === undefined ? [] : [names]),
    ],
    signer: privateKey,
  });
}

/**
 * The certificate of a CA that signs itself, anew for the same key. Subject and extensions are the old ones byte for byte. The subject
 * key identifier above all (RFC 5280, 4.2.1.2): the certificates that the CA has signed name their issuer by it, and kubeadm's Go has
 * made it in two ways. The serial number must be the old one where one of these certificates, or `old` itself, names it: `namesBySerial`.
 * @param privateKey the key of `old`
 */
export function reissueAuthority(old: Certificate, privateKey: PrivateKey, issuance: Issuance): Certificate {
  return signCertificate({
    ...issuance,
    publicKey: publicKeyOf(privateKey),
    issuerName: old.subject,
    subject: old.subject,
    extensions: old.extensions,
    signer: privateKey,
  });
}

/**
 * A cross-certificate (RFC 4949): name and key of one CA, signed by another. Where it follows a leaf of the first, the leaf leads to
 * both (RFC 5280, 3.2): to the first by the leaf's own signature, to the second by this one. The CA's own extensions are kept, above all
 * its subject key identifier, by which its leaves name it; but for its SAN, which kubeadm's CAs have without a use for it. An issuer with
 * name constraints would have to allow it, and it is no name of a node.
 */
export function issueCrossCertificate(
  issuer: LocalIssuer,
  authority: Certificate,
  issuance: Issuance,
): Certificate {
  return signCertificate({
    ...issuance,
    publicKey: authority.x509.publicKey,
    issuerName: issuer.certificate.subject,
    subject: authority.subject,
    extensions: [
      ...authority.extensions.filter(({ id }) => !ofAuthorityAlone.has(id)),
      authorityKeyIdentifier(issuer),
    ],
    signer: issuer.privateKey,
  });
}

const ofAuthorityAlone: ReadonlySet<string> = new Set([
  extensionIds.authorityKeyIdentifier,
  extensionIds.subjectAltName,
]);

interface ToBeSigned extends Omit<CertificateRequest, 'profile'> {
  /** DER of the Names. */
  readonly issuerName: Buffer;
  readonly subject: Buffer;
  readonly extensions: readonly Extension[];
  readonly signer: PrivateKey;
}

function signCertificate(toBeSigned: ToBeSigned): Certificate {
  const { identifier } = signatureAlgorithm(toBeSigned.signer);
  const tbs = sequence([
    // version [0]: v3 is 2 (RFC 5280, 4.1.2.1)
    context(0, primitive('integer', Buffer.from([2]))),
    primitive('integer', toBeSigned.serialNumber),
    identifier,
    parseDer(toBeSigned.issuerName),
    sequence([encodeTime(toBeSigned.notBefore), encodeTime(toBeSigned.notAfter)]),
    parseDer(toBeSigned.subject),
    parseDer(toBeSigned.publicKey.export({ format: 'der', type: 'spki' })),
    context(3, sequence(toBeSigned.extensions.map((extension) => parseDer(extension.der)))),
  ]);
  return parseCertificate(signed(tbs, toBeSigned.signer));
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
  return [
    ...request.profile.extensions,
    // RFC 5280, 4.2.1.9: cA is FALSE by default, so the sequence is empty. Critical, as kubeadm has it.
    newExtension(extensionIds.basicConstraints, true, sequence([])),
    subjectKeyIdentifier(request.publicKey),
    authorityKeyIdentifier(issuer),
  ];
}

/** RFC 5280, 4.2.1.1: [0] keyIdentifier must equal the issuer's subject key identifier. */
function authorityKeyIdentifier(issuer: LocalIssuer): Extension {
  const value = sequence([contextPrimitive(0, issuerKeyIdentifier(issuer))]);
  return newExtension(extensionIds.authorityKeyIdentifier, false, value);
}

function subjectKeyIdentifier(publicKey: KeyObject): Extension {
  return newExtension(
    extensionIds.subjectKeyIdentifier,
    false,
    primitive('octetString', keyIdentifier(publicKey)),
  );
}

function issuerKeyIdentifier({ certificate, privateKey }: LocalIssuer): Buffer {
  const own = findExtension(certificate.extensions, 'subjectKeyIdentifier');
  if (own === undefined) return keyIdentifier(publicKeyOf(privateKey));
  return contentOf(tagged('octetString', parseDer(own.value)));
}

// RFC 5280, 4.2.1.2, method (1): SHA-1 of the public key's bits, a name and not a safeguard.
function keyIdentifier(publicKey: KeyObject): Buffer {
  const [, bits] = partsOf(parseDer(publicKey.export({ format: 'der', type: 'spki' })));
  return createHash('sha1')
    .update(contentOf(tagged('bitString', bits)).subarray(1))
    .digest();
}
