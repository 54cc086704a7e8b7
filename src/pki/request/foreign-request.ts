import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { KubepkiError } from '../../errors/error.ts';
import {
  contentOf,
  encodeDer,
  exactly,
  isContext,
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
import { parseExtension, type Extension } from '../extension/extension.ts';
import { signatureAlgorithms } from '../issue/signature.ts';
import { keyKind } from '../key/key-kind.ts';
import { extensionRequest } from './certification-request.ts';

/**
 * A certificate request that another program made, taken apart for a decision about it. Unlike one of our own
 * (certification-request.ts) nothing is passed over: a decider and a signer that read one file differently are an attack.
 */
export interface ForeignRequest {
  /** `O=…`, `CN=…`, sorted. */
  readonly subject: readonly string[];
  readonly key: RequestKey;
  /**
   * Whether the request is signed with the key it is for (RFC 2986, 3). `unsound`: with an algorithm that is not the
   * key's, or with SHA-1 and older.
   */
  readonly signature: 'valid' | 'invalid' | 'unsound';
  readonly extensions: readonly Extension[];
  /** Attributes beside the extensions, as content bytes of their OIDs in hex. */
  readonly otherAttributes: readonly string[];
}

/** The key of a request, told apart by what its SubjectPublicKeyInfo says, not by what a library makes of it. */
type RequestKey =
  | { readonly kind: 'rsa'; readonly bits: number; readonly exponent: bigint; readonly publicKey: KeyObject }
  | { readonly kind: 'ec'; readonly curve: 'P-256' | 'P-384'; readonly publicKey: KeyObject }
  /** Anything else; `name` as a person reads it. */
  | { readonly kind: 'other'; readonly name: string };

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
    // Errors of forge and OpenSSL become this one too: these bytes come from outside.
    if (cause instanceof KubepkiError && cause.code === 'bad-request') throw cause;
    throw new KubepkiError('bad-request', 'is not a well-formed certificate request', { cause });
  }
}

// The block must be as pem.Encode and openssl write it: so written, it has one reading.
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

/**
 * Attributes ::= [0] SET OF SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }
 * @throws KubepkiError bad-certificate
 */
function requestAttributes(
  attributes: Asn1 | undefined,
): Pick<ForeignRequest, 'extensions' | 'otherAttributes'> {
  if (attributes === undefined) return { extensions: [], otherAttributes: [] };
  if (!isContext(attributes, 0)) throw malformed();
  const all = partsOf(attributes).map((attribute) => {
    const [type, values] = exactly('sequence', attribute, 2);
    return { type: oidOf(type), values };
  });
  const requests = all.filter(({ type }) => type === extensionRequest);
  // With two lists it would matter which of them a signer takes.
  if (requests.length > 1) throw malformed();
  const lists = requests.map(({ values }) => exactly('set', values, 1)[0]);
  return {
    extensions: lists.flatMap((list) => partsOf(tagged('sequence', list)).map(extensionOf)),
    otherAttributes: all.map(({ type }) => type).filter((type) => type !== extensionRequest),
  };
}

// parseExtension looks at the first and the last part only; here nothing may stand between them but the criticality.
function extensionOf(item: Asn1): Extension {
  const parts = partsOf(tagged('sequence', item));
  const isWhole = parts.length === 2 || (parts.length === 3 && isUniversal(parts[1], 'boolean'));
  if (!isWhole) throw malformed();
  return parseExtension(item);
}

/**
 * @param info SubjectPublicKeyInfo
 * @throws KubepkiError bad-certificate, or node's own error for a key whose numbers are wrong
 */
function requestKey(info: Asn1): RequestKey {
  const [algorithm] = partsOf(info);
  const kind = keyKind(algorithm);
  if (kind.type === 'other') return { kind: 'other', name: kind.name };
  const publicKey = createPublicKey({ key: encodeDer(info), format: 'der', type: 'spki' });
  if (kind.type === 'ec') return { kind: 'ec', curve: kind.curve, publicKey };
  const { modulusLength = 0, publicExponent = 0n } = publicKey.asymmetricKeyDetails ?? {};
  return { kind: 'rsa', bits: modulusLength, exponent: publicExponent, publicKey };
}

/** The key in words: `RSA 2048`, `ECDSA P-256`. */
export function describeKey(key: RequestKey): string {
  if (key.kind === 'rsa') return `RSA ${String(key.bits)}`;
  return key.kind === 'ec' ? `ECDSA ${key.curve}` : key.name;
}
