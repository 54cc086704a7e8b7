import { isUniversal, malformed, partsOf, type Asn1 } from './der.ts';

/**
 * The value again, when it is what it has to be.
 * @throws KubepkiError bad-certificate
 */
export function tagged(type: 'sequence' | 'set', value: Asn1 | undefined): Asn1 {
  if (!isUniversal(value, type)) throw malformed();
  return value;
}

/**
 * So many parts and no more.
 * @throws KubepkiError bad-certificate
 */
export function exactly(type: 'sequence' | 'set', value: Asn1, count: 1): readonly [Asn1];
export function exactly(type: 'sequence' | 'set', value: Asn1, count: 2): readonly [Asn1, Asn1];
export function exactly(type: 'sequence' | 'set', value: Asn1, count: 3): readonly [Asn1, Asn1, Asn1];
export function exactly(type: 'sequence' | 'set', value: Asn1, count: number): readonly Asn1[] {
  const parts = partsOf(tagged(type, value));
  if (parts.length !== count) throw malformed();
  return parts;
}
