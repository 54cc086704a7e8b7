import { isUniversal, type Asn1, type UniversalType } from './der.ts';

/** A primitive value: its content is bytes. */
interface Primitive extends Asn1 {
  readonly value: string;
}

/** @returns none where it is not of this type */
export function partsIn(value: Asn1 | undefined, type: 'sequence' | 'set'): readonly Asn1[] {
  return isUniversal(value, type) && typeof value.value !== 'string' ? value.value : [];
}

/** Whether the value is of this type, primitive, and not empty. */
export function isContentOf(value: Asn1 | undefined, type: UniversalType): value is Primitive {
  return isUniversal(value, type) && typeof value.value === 'string' && value.value !== '';
}

export function isTrue(value: Asn1 | undefined): boolean {
  return isContentOf(value, 'boolean') && value.value === '\xff';
}

export function isNull(value: Asn1): boolean {
  return isUniversal(value, 'null') && value.value === '';
}

/** X.690, 8.19.2: each number begins with the first byte it needs, and the last one ends. */
// eslint-disable-next-line no-control-regex -- bytes, not characters
const numbers = /^(?:(?:[\x81-\xff][\x80-\xff]*)?[\x00-\x7f])+$/;

export function isOid(value: Asn1 | undefined): value is Primitive {
  return isContentOf(value, 'oid') && numbers.test(value.value);
}

/** The content of a BIT STRING that is whole bytes, as keys and signatures are (RFC 5280, 4.1.1.3). */
export function wholeBytes(value: Asn1 | undefined): Buffer | undefined {
  return areWholeBytes(value) ? Buffer.from(value.value.slice(1), 'latin1') : undefined;
}

export function areWholeBytes(value: Asn1 | undefined): value is Primitive {
  return isContentOf(value, 'bitString') && value.value.length > 1 && value.value.startsWith('\0');
}
