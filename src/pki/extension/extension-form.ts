import { KubepkiError } from '../../errors/error.ts';
import { contentOf, isContext, isUniversal, parseDer, type Asn1, type UniversalType } from '../der/der.ts';
import { extensionIds, type Extension } from './extension.ts';

interface Form {
  readonly name: string;
  readonly fits: (value: Asn1) => boolean;
}

// The extensions that this program takes apart. Go's crypto/x509 takes the same apart when it reads a certificate, and refuses
// the certificate where that fails. All others are bytes to us, and are carried over as such.
const forms: ReadonlyMap<string, Form> = new Map([
  [extensionIds.basicConstraints, { name: 'basicConstraints', fits: isBasicConstraints }],
  [extensionIds.keyUsage, { name: 'keyUsage', fits: isBitString }],
  [extensionIds.extendedKeyUsage, { name: 'extendedKeyUsage', fits: areOids }],
  [extensionIds.subjectAltName, { name: 'subjectAltName', fits: areNames }],
  [extensionIds.nameConstraints, { name: 'nameConstraints', fits: areConstraints }],
  [extensionIds.subjectKeyIdentifier, { name: 'subjectKeyIdentifier', fits: isIdentifier }],
  [extensionIds.authorityKeyIdentifier, { name: 'authorityKeyIdentifier', fits: isSequence }],
]);

/** @throws KubepkiError bad-certificate */
export function requireWellFormed({ id, value }: Extension): void {
  const form = forms.get(id);
  if (form === undefined || fits(form, value)) return;
  throw new KubepkiError('bad-certificate', `its X.509 extension ${form.name} is not well-formed`, {
    hint: 'no component of Kubernetes reads such a certificate: put a sound one in its place',
  });
}

function fits(form: Form, value: Buffer): boolean {
  try {
    return form.fits(parseDer(value));
  } catch (error) {
    if (error instanceof KubepkiError) return false;
    throw error;
  }
}

function isSequence(value: Asn1): boolean {
  return partsOfSequence(value) !== undefined;
}

function partsOfSequence(value: Asn1 | undefined): readonly Asn1[] | undefined {
  return isUniversal(value, 'sequence') && typeof value.value !== 'string' ? value.value : undefined;
}

interface Primitive extends Asn1 {
  readonly value: string;
}

function isContentOf(value: Asn1 | undefined, type: UniversalType): value is Primitive {
  return isUniversal(value, type) && typeof value.value === 'string' && value.value !== '';
}

/** X.690, 8.19.2: each number begins with the first byte it needs, and the last one ends. */
// eslint-disable-next-line no-control-regex -- bytes, not characters
const numbers = /^(?:(?:[\x81-\xff][\x80-\xff]*)?[\x00-\x7f])+$/;

function isOid(value: Asn1): boolean {
  return isContentOf(value, 'oid') && numbers.test(value.value);
}

/** RFC 5280, 4.2.1.2 */
function isIdentifier(value: Asn1): boolean {
  return isUniversal(value, 'octetString') && typeof value.value === 'string';
}

/** RFC 5280, 4.2.1.9: SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL } */
function isBasicConstraints(value: Asn1): boolean {
  const parts = [...(partsOfSequence(value) ?? [undefined])];
  // Go takes FALSE as well, which DER leaves out.
  if (isContentOf(parts[0], 'boolean') && /^[\0\xff]$/.test(parts[0].value)) parts.shift();
  if (isContentOf(parts[0], 'integer') && parts[0].value.charCodeAt(0) < 0x80) parts.shift();
  return parts.length === 0;
}

/** X.690, 8.6 and 11.2.1: the first byte counts the unused bits of the last, which are zero. */
function isBitString(value: Asn1): boolean {
  if (!isContentOf(value, 'bitString')) return false;
  const unused = value.value.charCodeAt(0);
  const last = value.value.length === 1 ? 0xff : value.value.charCodeAt(value.value.length - 1);
  return unused <= 7 && (last & ((1 << unused) - 1)) === 0;
}

/** RFC 5280, 4.2.1.12 */
function areOids(value: Asn1): boolean {
  return partsOfSequence(value)?.every(isOid) ?? false;
}

/** RFC 5280, 4.2.1.6; an address is of IPv4 or IPv6. */
function areNames(value: Asn1): boolean {
  return (
    partsOfSequence(value)?.every((name) => isName(name, (bytes) => [4, 16].includes(bytes.length))) ?? false
  );
}

/** RFC 5280, 4.2.1.10: SEQUENCE { permittedSubtrees [0] OPTIONAL, excludedSubtrees [1] OPTIONAL }, and not empty. */
function areConstraints(value: Asn1): boolean {
  const lists = [...(partsOfSequence(value) ?? [])];
  const subtrees = [0, 1].flatMap((tag) => {
    const [list] = lists;
    if (!isContext(list, tag) || typeof list.value === 'string') return [];
    lists.shift();
    return list.value;
  });
  return lists.length === 0 && subtrees.length > 0 && subtrees.every(isSubtree);
}

function isSubtree(value: Asn1): boolean {
  const base = partsOfSequence(value)?.[0];
  return base !== undefined && isName(base, isAddressBlock);
}

/** An address and its mask, as long as the address: ones, then zeros. */
function isAddressBlock(bytes: Buffer): boolean {
  const bits = [...bytes.subarray(bytes.length / 2)]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
  return [8, 32].includes(bytes.length) && /^1*0*$/.test(bits);
}

/** GeneralName: e-mail, DNS name and URI are an IA5String, an address so many bytes; others may be anything. */
function isName(name: Asn1, isAddress: (bytes: Buffer) => boolean): boolean {
  if (!isContext(name, name.type) || name.type > 8) return false;
  if (![1, 2, 6, 7].includes(name.type)) return true;
  if (typeof name.value !== 'string') return false;

  return name.type === 7 ? isAddress(contentOf(name)) : /^[\0-\x7f]*$/.test(name.value);
}
