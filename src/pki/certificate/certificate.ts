import { createHash, X509Certificate } from 'node:crypto';
import { KubepkiError } from '../../errors/error.ts';
import {
  contentOf,
  encodeDer,
  isContext,
  isUniversal,
  parseDer,
  partsOf,
  tagged,
  type Asn1,
} from '../der/der.ts';
import { encodePem, noSuchBlock, pemBlocks } from '../der/pem.ts';
import { parseTime } from '../der/time.ts';
import { requireWellFormed } from '../extension/extension-form.ts';
import { findExtension, parseExtension, type Extension } from '../extension/extension.ts';
import { subjectKey, type SubjectKey } from '../key/public-key.ts';

/** An X.509 version 3 certificate (RFC 5280, 4.1), taken apart as far as renewing needs it. */
export interface Certificate {
  readonly der: Buffer;
  /** Content bytes of the INTEGER. */
  readonly serialNumber: Buffer;
  /** AlgorithmIdentifier of the issuer's signature. */
  readonly signatureAlgorithm: Asn1;
  /** DER of the Names, as they stand in the certificate. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: SubjectKey;
  readonly extensions: readonly Extension[];
  /** node's view of the same bytes, for verifying signatures. */
  readonly x509: X509Certificate;
}

export type Chain = readonly [Certificate, ...Certificate[]];

/**
 * The certificates of a PEM file, in the file's order. As kubeadm does, other blocks and CERTIFICATE blocks with
 * headers are passed over.
 * @throws KubepkiError bad-certificate, bad-pem
 */
export function parseCertificates(bytes: Uint8Array): Chain {
  const [first, ...rest] = certificateBlocks(bytes);
  if (first === undefined) {
    throw noSuchBlock(
      'bad-certificate',
      bytes,
      'certificate',
      'openssl x509 -inform der -in FILE -out FILE.pem',
    );
  }
  return [parseCertificate(first), ...rest.map(parseCertificate)];
}

/** The DER of the same certificates, not yet parsed. */
export function certificateBlocks(bytes: Uint8Array): Buffer[] {
  return pemBlocks(bytes).flatMap(({ label, hasHeaders, der }) =>
    label === 'CERTIFICATE' && !hasHeaders ? [der] : [],
  );
}

/** @throws KubepkiError bad-certificate */
export function parseCertificate(der: Buffer): Certificate {
  // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }
  const [tbs, signatureAlgorithm, signature] = partsOf(parseDer(der));
  tagged('bitString', signature);
  const fields = [...partsOf(tagged('sequence', tbs))];
  // version [0] EXPLICIT DEFAULT v1
  if (isContext(fields[0], 0)) fields.shift();
  const [serialNumber, , issuer, validity, subject, keyInfo, ...optional] = fields;
  const [notBefore, notAfter] = partsOf(tagged('sequence', validity));
  const known = {
    der,
    serialNumber: contentOf(tagged('integer', serialNumber)),
    signatureAlgorithm: tagged('sequence', signatureAlgorithm),
    issuer: encodeDer(tagged('sequence', issuer)),
    subject: encodeDer(tagged('sequence', subject)),
    extensions: parseExtensions(optional.find((field) => isContext(field, 3))),
    notBefore: parseTime(notBefore),
    notAfter: parseTime(notAfter),
  };
  const x509 = decode(der);
  return { ...known, x509, publicKey: subjectKey(tagged('sequence', keyInfo), x509) };
}

export function encodeCertificates(certificates: readonly Pick<Certificate, 'der'>[]): string {
  return certificates.map((certificate) => encodePem('CERTIFICATE', certificate.der)).join('');
}

/** RFC 5280, 4.2.1.9: basicConstraints with cA TRUE. */
export function isCa(certificate: Certificate): boolean {
  const constraints = findExtension(certificate.extensions, 'basicConstraints');
  if (constraints === undefined) return false;
  const [cA] = partsOf(parseDer(constraints.value));
  return isUniversal(cA, 'boolean') && contentOf(cA)[0] !== 0;
}

// An independent parser has the last word on what a certificate is.
function decode(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw new KubepkiError('bad-certificate', 'is not a well-formed X.509 certificate', { cause });
  }
}

// extensions [3] EXPLICIT SEQUENCE OF Extension
function parseExtensions(field: Asn1 | undefined): Extension[] {
  if (field === undefined) return [];
  const [list] = partsOf(field);
  const extensions = partsOf(tagged('sequence', list)).map(parseExtension);
  // RFC 5280, 4.2: no more than one instance of an extension; Go refuses to load a certificate that has two.
  if (new Set(extensions.map((extension) => extension.id)).size !== extensions.length) {
    throw new KubepkiError('bad-certificate', 'has an X.509 extension twice');
  }
  for (const extension of extensions) requireWellFormed(extension);
  return extensions;
}

/** SHA-256 of the DER, upper-case hex without colons. */
export function fingerprintOf(certificate: Certificate): string {
  return createHash('sha256').update(certificate.der).digest('hex').toUpperCase();
}

/** Two's complement (X.690, 8.3.3). RFC 5280, 4.1.2.2, wants a positive one; any other is shown as it is. */
export function serialNumberOf({ serialNumber }: Certificate): bigint {
  return BigInt.asIntN(8 * serialNumber.length, BigInt(`0x0${serialNumber.toString('hex')}`));
}

/** Upper-case hex, as openssl prints it: whole bytes, and a sign before a negative number, such as `-05`. */
export function serialOf(certificate: Certificate): string {
  const number = serialNumberOf(certificate);
  const hex = (number < 0n ? -number : number).toString(16).toUpperCase();
  return `${number < 0n ? '-' : ''}${hex.padStart(hex.length + (hex.length % 2), '0')}`;
}

/**
 * Go 1.23 and later, and so every component of a current Kubernetes, do not even read such a certificate. They do read one with
 * the serial number zero, which RFC 5280, 4.1.2.2, forbids as well: CAs of kubeadm 1.20 and older have it.
 */
export function hasNegativeSerial(certificate: Certificate): boolean {
  return serialNumberOf(certificate) < 0n;
}
