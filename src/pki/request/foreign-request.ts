import { verify } from 'node:crypto';
import { KubepkiError } from '../../errors/error.ts';
import {
  contentOf,
  encodeDer,
  exactly,
  isUniversal,
  malformed,
  oidOf,
  parseDer,
  partsOf,
  tagged,
  type Asn1,
} from '../der/der.ts';
import { attributesOf, isDirectoryString } from '../der/name.ts';
import { encodePem } from '../der/pem.ts';
import { signatureAlgorithms } from '../issue/signature-algorithm.ts';
import { requestAttributes, type RequestAttributes } from './request-attributes.ts';
import { requestKey, type RequestKey } from './request-key.ts';

/**
 * A certificate request that another program made, taken apart for a decision about it. Unlike one of our own
 * (certification-request.ts) nothing is passed over: a decider and a signer that read one file differently are an attack.
 */
export interface ForeignRequest extends RequestAttributes {
  /** `O=…`, `CN=…`, sorted. */
  readonly subject: readonly string[];
  readonly key: RequestKey;
  /**
   * Whether the request is signed with the key it is for (RFC 2986, 3). `unsound`: with an algorithm that is not the
   * key's, or with SHA-1 and older.
   */
  readonly signature: 'valid' | 'invalid' | 'unsound';
}

// A request of a kubelet has less than two kilobytes.
const maxBytes = 64 * 1024;

/**
 * @param pem one PEM block and nothing else: with two, it would matter which of them a signer takes
 * @throws KubepkiError bad-request, without a file
 */
export function openRequest(pem: Uint8Array): ForeignRequest {
  const der = onlyBlock(pem);
  try {
    return takeApart(parseDer(der));
  } catch (cause) {
    // Any error becomes this one, also those of forge and OpenSSL: these bytes come from outside.
    if (cause instanceof KubepkiError && cause.code === 'bad-request') throw cause;
    throw new KubepkiError('bad-request', 'is not a well-formed certificate request', { cause });
  }
}

// Only as pem.Encode and openssl write it. What is so written has one reading.
function onlyBlock(pem: Uint8Array): Buffer {
  if (pem.length > maxBytes) throw new KubepkiError('bad-request', 'is larger than 64 KiB');
  const text = Buffer.from(pem).toString('latin1').replaceAll('\r\n', '\n').trim();
  const body = /^-----BEGIN CERTIFICATE REQUEST-----\n([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE REQUEST-----$/
    .exec(text)?.[1]
    ?.replaceAll('\n', '');
  const der = Buffer.from(body ?? '', 'base64');
  if (der.length === 0 || encodePem('CERTIFICATE REQUEST', der).trim() !== text) {
    throw new KubepkiError('bad-request', 'is not one PEM block CERTIFICATE REQUEST and nothing else');
  }
  return der;
}

// CertificationRequest ::= SEQUENCE { certificationRequestInfo, signatureAlgorithm, signature }
function takeApart(request: Asn1): ForeignRequest {
  const [info, algorithm, signature] = exactly('sequence', request, 3);
  const infoParts = partsOf(tagged('sequence', info));
  const [version, , , attributes] = infoParts;
  if (infoParts.length > 4 || !isUniversal(version, 'integer') || !isUniversal(signature, 'bitString')) {
    throw malformed();
  }
  if (contentOf(version).toString('hex') !== '00') {
    throw new KubepkiError('bad-request', 'has another version than PKCS#10 knows');
  }
  const subject = tagged('sequence', infoParts[1]);
  const spki = tagged('sequence', infoParts[2]);
  const key = requestKey(spki);
  return {
    subject: subjectOf(subject),
    key,
    signature: checkSignature(encodeDer(info), tagged('sequence', algorithm), contentOf(signature), key),
    ...requestAttributes(attributes),
  };
}

// Name ::= SEQUENCE OF SET OF SEQUENCE { type OBJECT IDENTIFIER, value ANY }
function subjectOf(name: Asn1): readonly string[] {
  for (const attribute of partsOf(name).flatMap((rdn) => partsOf(tagged('set', rdn)))) {
    const [type, value] = exactly('sequence', attribute, 2);
    if (!isUniversal(type, 'oid') || !isDirectoryString(value)) {
      throw new KubepkiError('bad-request', 'has a subject that is not of strings');
    }
  }
  return attributesOf(encodeDer(name));
}

function checkSignature(
  content: Buffer,
  algorithm: Asn1,
  bits: Buffer,
  key: RequestKey,
): ForeignRequest['signature'] {
  const [id] = partsOf(algorithm);
  const known = signatureAlgorithms.find((one) => isUniversal(id, 'oid') && one.id === oidOf(id));
  if (known === undefined || key.kind === 'other' || known.kind !== key.kind) return 'unsound';
  // A BIT STRING begins with the number of its unused bits.
  const whole = bits[0] === 0;
  return whole && verify(known.hash, content, key.publicKey, bits.subarray(1)) ? 'valid' : 'invalid';
}
