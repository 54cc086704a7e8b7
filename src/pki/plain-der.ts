import { isUniversal, type Asn1, type UniversalType } from './der.ts';

/** A primitive value: its content is bytes. */
interface Primitive extends Asn1 {
  readonly value: string;
}

/** @returns none where it is not of this type */
export function partsIn(value: Asn1 | undefined, type: 'sequence' | 'set'): readonly Asn1[] {
  return isUniversal(value, type) && typeof value.value !== 'string' ? value.value : [];
}

/** Of this type, primitive, and not empty. */
export function isContentOf(value: Asn1 | undefined, type: UniversalType): value is Primitive {
  return isUniversal(value, type) && typeof value.value === 'string' && value.value !== '';
}

export function isNull(value: Asn1): boolean {
  return isUniversal(value, 'null') && value.value === '';
}

/** X.690, 8.19.2: each number begins with the first byte it needs, and the last one ends. */
export function isOid(value: Asn1 | undefined): value is Primitive {
  if (!isContentOf(value, 'oid')) return false;
  const bytes = Buffer.from(value.value, 'latin1');
  return (
    bytes.every((byte, index) => byte !== 0x80 || (index > 0 && ((bytes[index - 1] ?? 0) & 0x80) !== 0)) &&
    ((bytes.at(-1) ?? 0x80) & 0x80) === 0
  );
}

/** The content of a BIT STRING that is whole bytes, as keys and signatures are (RFC 5280, 4.1.1.3). */
export function wholeBytes(value: Asn1 | undefined): Buffer | undefined {
  return isContentOf(value, 'bitString') && value.value.length > 1 && value.value.startsWith('\0')
    ? Buffer.from(value.value.slice(1), 'latin1')
    : undefined;
}
