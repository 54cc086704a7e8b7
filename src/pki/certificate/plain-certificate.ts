import { isContext, type Asn1 } from '../der/der.ts';
import { areWholeBytes, isContentOf, isNull, isOid, isTrue, partsIn } from '../der/plain-der.ts';
import { plainKey, type PlainKey } from '../key/plain-key.ts';

/**
 * The public key of a certificate that any parser reads, and reads alike: every part of it is just what RFC 5280, 4.1 says,
 * in the plainest form, as of kubeadm's and nearly everybody's.
 *
 * An independent parser has the last word on what a certificate is. But OpenSSL takes a tenth of a millisecond for one,
 * nearly all of it for its key, and whoever looks at a thousand nodes looks at thirteen thousand. Given the numbers alone
 * it makes the same key in a fraction of that, when somebody wants the key; and so it need not be asked about what is plain.
 * Parts are taken by number: taking an array apart by a pattern makes an object for each, and of a start's garbage that was a fifth.
 * @param certificate parsed as DER, whose extensions and times have been read
 * @returns undefined where there is anything unusual about it
 */
export function plainPublicKey(certificate: Asn1): PlainKey | undefined {
  const whole = partsIn(certificate, 'sequence');
  const fields = partsIn(whole[0], 'sequence');
  const extensions = fields[7];
  const isPlain =
    whole.length === 3 &&
    fields.length === 8 &&
    isVersion3(fields[0]) &&
    isContentOf(fields[1], 'integer') &&
    areAlgorithm(fields[2], whole[1]) &&
    isName(fields[3]) &&
    partsIn(fields[4], 'sequence').length === 2 &&
    isName(fields[5]) &&
    isContext(extensions, 3) &&
    areExtensions(extensions) &&
    areWholeBytes(whole[2]);
  return isPlain ? plainKey(fields[6]) : undefined;
}

/** `[0] EXPLICIT Version` with v3(2). */
function isVersion3(field: Asn1 | undefined): boolean {
  const [version, ...more] = isContext(field, 0) && typeof field.value !== 'string' ? field.value : [];
  return isContentOf(version, 'integer') && version.value === '\u0002' && more.length === 0;
}

/** RFC 5280, 4.1.1.2: the same AlgorithmIdentifier in both places; parameters that are NULL, or are not there. */
function areAlgorithm(value: Asn1 | undefined, other: Asn1 | undefined): boolean {
  const [id, parameters, ...more] = partsIn(value, 'sequence');
  const [otherId, otherParameters, ...others] = partsIn(other, 'sequence');
  const areNull = [parameters, otherParameters].every((one) => one !== undefined && isNull(one));
  const areLeftOut = parameters === undefined && otherParameters === undefined;
  return (
    isOid(id) &&
    isOid(otherId) &&
    id.value === otherId.value &&
    (areNull || areLeftOut) &&
    more.length === 0 &&
    others.length === 0
  );
}

/** One attribute in each RDN, and printable ASCII: of other alphabets parsers have opinions. */
function isName(value: Asn1 | undefined): boolean {
  const names = partsIn(value, 'sequence');
  return (
    names.length > 0 &&
    names.every((name) => {
      const attributes = partsIn(name, 'set');
      const parts = partsIn(attributes[0], 'sequence');
      return attributes.length === 1 && parts.length === 2 && isOid(parts[0]) && isAscii(parts[1]);
    })
  );
}

function isAscii(value: Asn1 | undefined): boolean {
  const isText = isContentOf(value, 'printableString') || isContentOf(value, 'utf8String');
  return isText && /^[ -~]+$/.test(value.value);
}

/** `[3] EXPLICIT SEQUENCE OF Extension` */
function areExtensions(field: Asn1): boolean {
  const [list, ...more] = typeof field.value === 'string' ? [] : field.value;
  const extensions = partsIn(list, 'sequence');
  return more.length === 0 && extensions.length > 0 && extensions.every(isExtension);
}

function isExtension(value: Asn1): boolean {
  const parts = partsIn(value, 'sequence');
  return (
    isOid(parts[0]) &&
    // DER leaves a DEFAULT out: critical is there when it is TRUE.
    (parts.length === 2 || (parts.length === 3 && isTrue(parts[1]))) &&
    isContentOf(parts.at(-1), 'octetString')
  );
}
