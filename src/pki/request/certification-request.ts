import type { KeyObject } from 'node:crypto';
import { KubepkiError } from '../../errors/error.ts';
import {
  contentOf,
  context,
  encodeDer,
  isContext,
  isUniversal,
  oid,
  parseDer,
  partsOf,
  primitive,
  sequence,
  set,
  type Asn1,
} from '../der/der.ts';
import { parseExtension, type Extension } from '../extension/extension.ts';
import { encodePem, noSuchBlock, pemBlocks } from '../der/pem.ts';
import { publicKeyOf, type PrivateKey } from '../key/private-key.ts';
import { isSignedBy, signed } from '../issue/signature.ts';
import { ForeignKey, subjectKey } from '../key/public-key.ts';

/** PKCS#9 extensionRequest, 1.2.840.113549.1.9.14 (RFC 2985, 5.4.2). */
export const extensionRequest = '2a864886f70d01090e';

/** What a CA is asked for: PKCS#10 (RFC 2986). */
export interface CertificationRequest {
  readonly der: Buffer;
  /** DER of the Name. */
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Extension[];
}

/**
 * Builds and signs a request. No usages are asked for: the CA decides those, as with kubeadm.
 * @param subjectAltName undefined: none
 */
export function requestCertificate(
  { subject, subjectAltName }: { readonly subject: Buffer; readonly subjectAltName: Extension | undefined },
  privateKey: PrivateKey,
): CertificationRequest {
  const attributes =
    subjectAltName === undefined
      ? []
      : [sequence([oid(extensionRequest), set([sequence([parseDer(subjectAltName.der)])])])];
  // CertificationRequestInfo ::= SEQUENCE { version v1(0), subject, subjectPKInfo, attributes [0] IMPLICIT SET OF }
  const info = sequence([
    primitive('integer', Buffer.from([0])),
    parseDer(subject),
    parseDer(publicKeyOf(privateKey).export({ format: 'der', type: 'spki' })),
    { ...context(0, set([])), value: attributes },
  ]);
  return parseRequestDer(signed(info, privateKey));
}

export function encodeRequest(request: CertificationRequest): string {
  return encodePem('CERTIFICATE REQUEST', request.der);
}

/**
 * The first request of a PEM file.
 * @throws KubepkiError bad-request, bad-pem
 */
export function parseRequest(bytes: Uint8Array): CertificationRequest {
  // Some older tools write the second label.
  const labels = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'];
  const block = pemBlocks(bytes).find(({ label, hasHeaders }) => labels.includes(label) && !hasHeaders);
  if (block === undefined) {
    throw noSuchBlock(
      'bad-request',
      bytes,
      'certificate request',
      'openssl req -inform der -in FILE -out FILE.pem',
    );
  }
  try {
    return parseRequestDer(block.der);
  } catch (cause) {
    if (cause instanceof KubepkiError && cause.code === 'bad-request') throw cause;
    throw new KubepkiError('bad-request', 'is not a well-formed certificate request', { cause });
  }
}

function parseRequestDer(der: Buffer): CertificationRequest {
  const [info, , signature] = partsOf(parseDer(der));
  if (!isUniversal(info, 'sequence') || !isUniversal(signature, 'bitString')) throw malformedRequest();
  const [version, subject, key, attributes] = partsOf(info);
  if (!isUniversal(version, 'integer') || !isUniversal(subject, 'sequence') || key === undefined) {
    throw malformedRequest();
  }
  const publicKey = subjectKey(key);
  if (publicKey instanceof ForeignKey) {
    throw new KubepkiError('bad-request', `is for a key of the kind ${publicKey.name}`, {
      hint: 'use RSA, or ECDSA on P-256 or P-384: other kinds are not supported',
    });
  }
  // RFC 2986, 3: the signature shows that the requestor has the key.
  if (!isSignedBy(encodeDer(info), contentOf(signature).subarray(1), publicKey)) throw malformedRequest();
  return { der, subject: encodeDer(subject), publicKey, extensions: requestedExtensions(attributes) };
}

function requestedExtensions(attributes: Asn1 | undefined): Extension[] {
  if (!isContext(attributes, 0)) return [];
  const wanted = encodeDer(oid(extensionRequest));
  return partsOf(attributes).flatMap((attribute) => {
    const [type, values] = partsOf(attribute);
    if (type === undefined || values === undefined || !encodeDer(type).equals(wanted)) return [];
    return partsOf(values).flatMap((list) => partsOf(list).map(parseExtension));
  });
}

function malformedRequest(): KubepkiError {
  return new KubepkiError('bad-request', 'is not a well-formed certificate request');
}
