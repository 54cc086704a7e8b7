import asn1, { type Asn1 } from 'node-forge/lib/asn1.js';
import { KubepkiError } from '../../errors/error.ts';
import { readPlainDer } from './read-plain-der.ts';

export type { Asn1 };

/**
 * Parses strict DER. What does not encode back to the same bytes is refused: parts of it are carried over into new
 * certificates, and Go's x509, which must read those, takes nothing but DER either.
 * @throws KubepkiError bad-certificate
 */
export function parseDer(der: Buffer): Asn1 {
  return readPlainDer(der) ?? parseAnyDer(der);
}

/** The same by forge alone. */
export function parseAnyDer(der: Buffer): Asn1 {
  try {
    const value = asn1.fromDer(der.toString('latin1'), {
      strict: true,
      parseAllBytes: true,
      // A BIT STRING's content (a key, a signature) stays bytes even where it happens to look like ASN.1.
      decodeBitStrings: false,
    });
    if (encodeDer(value).equals(der)) return value;
  } catch (cause) {
    throw new KubepkiError('bad-certificate', 'is not valid DER inside its PEM', { cause });
  }
  throw new KubepkiError('bad-certificate', 'is not valid DER inside its PEM');
}

/** What forge's own encoder gives, in a tenth of its time: every certificate that is read is encoded again. */
export function encodeDer(value: Asn1): Buffer {
  return Buffer.from(derText(value), 'latin1');
}

// Tag, length, content (X.690, 8.1), as a binary string.
function derText(value: Asn1): string {
  const content = contentText(value);
  const tag = String.fromCharCode(value.tagClass | value.type | (value.constructed ? constructedBit : 0));
  return tag + lengthText(content.length) + content;
}

const constructedBit = 0x20;

function contentText({ value, type }: Asn1): string {
  if (typeof value !== 'string') return value.map(derText).join('');
  // As forge has it, of whatever class the tag is.
  if (type === universalTypes.bmpString) return Buffer.from(value, 'utf16le').swap16().toString('latin1');
  return type === universalTypes.integer ? shortestInteger(value) : value;
}

/** X.690, 8.3.2: the first nine bits are not all alike. */
function shortestInteger(bytes: string): string {
  const [first, second] = [bytes.charCodeAt(0), bytes.charCodeAt(1)];
  const isPadded = bytes.length > 1 && first === (second & 0x80 ? 0xff : 0);
  return isPadded ? bytes.slice(1) : bytes;
}

/** X.690, 10.1: in as few bytes as it takes. */
function lengthText(length: number): string {
  if (length < 0x80) return String.fromCharCode(length);
  let bytes = '';
  for (let left = length; left > 0; left >>>= 8) bytes = String.fromCharCode(left & 0xff) + bytes;
  return String.fromCharCode(0x80 | bytes.length) + bytes;
}

/** @throws KubepkiError bad-certificate when the value is not constructed */
export function partsOf(value: Asn1): readonly Asn1[] {
  if (typeof value.value === 'string') throw malformed();
  return value.value;
}

/** @throws KubepkiError bad-certificate when the value is not primitive */
export function contentOf(value: Asn1): Buffer {
  if (typeof value.value !== 'string') throw malformed();
  return Buffer.from(value.value, 'latin1');
}

export function isUniversal(value: Asn1 | undefined, type: UniversalType): value is Asn1 {
  return value?.tagClass === classes.universal && value.type === universalTypes[type];
}

/** A context-specific tag such as `[3]`. */
export function isContext(value: Asn1 | undefined, tag: number): value is Asn1 {
  return value?.tagClass === classes.contextSpecific && value.type === tag;
}

export function sequence(parts: readonly Asn1[]): Asn1 {
  return asn1.create(classes.universal, universalTypes.sequence, true, parts);
}

/** A SET with one member, or whose members are given in DER's order (X.690, 11.6). */
export function set(parts: readonly Asn1[]): Asn1 {
  return asn1.create(classes.universal, universalTypes.set, true, parts);
}

/** An explicitly tagged value. */
export function context(tag: number, part: Asn1): Asn1 {
  return asn1.create(classes.contextSpecific, tag, true, [part]);
}

/** An implicitly tagged primitive. */
export function contextPrimitive(tag: number, content: Buffer): Asn1 {
  return asn1.create(classes.contextSpecific, tag, false, content.toString('latin1'));
}

export function oid(dotted: string): Asn1 {
  return primitive('oid', Buffer.from(asn1.oidToDer(dotted).getBytes(), 'latin1'));
}

export function primitive(type: UniversalType, content: Buffer): Asn1 {
  return asn1.create(classes.universal, universalTypes[type], false, content.toString('latin1'));
}

/** A value that is DER already and must stay byte for byte. */
export function encoded(der: Buffer): Asn1 {
  return parseDer(der);
}

export function malformed(): KubepkiError {
  return new KubepkiError('bad-certificate', 'is not a well-formed X.509 certificate');
}

export type UniversalType = keyof typeof universalTypes;

// Not from forge, which is loaded when something is written, or read that is not plain. X.690, 8.1.2.2; X.680, 8.6.
const classes = { universal: 0, contextSpecific: 0x80 } as const;
const universalTypes = {
  boolean: 1,
  integer: 2,
  bitString: 3,
  octetString: 4,
  null: 5,
  oid: 6,
  utf8String: 12,
  sequence: 16,
  set: 17,
  numericString: 18,
  printableString: 19,
  t61String: 20,
  ia5String: 22,
  utcTime: 23,
  generalizedTime: 24,
  bmpString: 30,
} as const;
