import asn1, { type Asn1 } from 'node-forge/lib/asn1.js';
import { KubepkiError } from '../../errors/error.ts';

export type { Asn1 };

/**
 * Parses strict DER. Bytes that do not encode back to themselves are refused: parts of them are carried over into new
 * certificates, and Go's x509, which must read those, takes nothing but DER either.
 * @throws KubepkiError bad-certificate
 */
export function parseDer(der: Buffer): Asn1 {
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

export function encodeDer(value: Asn1): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), 'latin1');
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

/** @throws KubepkiError bad-certificate when the value is of another type */
export function tagged(type: UniversalType, value: Asn1 | undefined): Asn1 {
  if (!isUniversal(value, type)) throw malformed();
  return value;
}

/** @throws KubepkiError bad-certificate when the value has another number of parts */
export function exactly(type: 'sequence' | 'set', value: Asn1, count: 1): readonly [Asn1];
export function exactly(type: 'sequence' | 'set', value: Asn1, count: 2): readonly [Asn1, Asn1];
export function exactly(type: 'sequence' | 'set', value: Asn1, count: 3): readonly [Asn1, Asn1, Asn1];
export function exactly(type: 'sequence' | 'set', value: Asn1, count: number): readonly Asn1[] {
  const parts = partsOf(tagged(type, value));
  if (parts.length !== count) throw malformed();
  return parts;
}

/**
 * Content bytes of an OBJECT IDENTIFIER in hex: OIDs are told apart by these, so that one of any length stays exact.
 * @throws KubepkiError bad-certificate
 */
export function oidOf(value: Asn1 | undefined): string {
  return contentOf(tagged('oid', value)).toString('hex');
}

export function sequence(parts: readonly Asn1[]): Asn1 {
  return asn1.create(classes.universal, universalTypes.sequence, true, parts);
}

/** A SET with one member, or whose members are given in DER's order (X.690, 11.6). */
export function set(parts: readonly Asn1[]): Asn1 {
  return asn1.create(classes.universal, universalTypes.set, true, parts);
}

export function context(tag: number, part: Asn1): Asn1 {
  return asn1.create(classes.contextSpecific, tag, true, [part]);
}

/** An implicitly tagged value. */
export function contextPrimitive(tag: number, content: Buffer): Asn1 {
  return asn1.create(classes.contextSpecific, tag, false, content.toString('latin1'));
}

/** @param id its content bytes in hex */
export function oid(id: string): Asn1 {
  return primitive('oid', Buffer.from(id, 'hex'));
}

/** A BIT STRING of whole bytes: the first one counts the unused bits of the last. */
export function bitString(bytes: Buffer): Asn1 {
  return primitive('bitString', Buffer.concat([Buffer.of(0), bytes]));
}

export function primitive(type: UniversalType, content: Buffer): Asn1 {
  return asn1.create(classes.universal, universalTypes[type], false, content.toString('latin1'));
}

export function malformed(): KubepkiError {
  return new KubepkiError('bad-certificate', 'is not a well-formed X.509 certificate');
}

export type UniversalType = keyof typeof universalTypes;

// X.690, 8.1.2.2; X.680, 8.6. forge does not name all of them.
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
