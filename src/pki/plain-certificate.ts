import type { KeyObject } from 'node:crypto';
import { isContext, isUniversal, type Asn1 } from './der.ts';
import { isContentOf, isNull, isOid, partsIn, wholeBytes } from './plain-der.ts';
import { plainKey } from './plain-key.ts';

/**
 * The public key of a certificate that any parser reads, and reads alike: every part of it is just what RFC 5280, 4.1 says,
 * in the plainest form, as of kubeadm's and nearly everybody's.
 *
 * An independent parser has the last word on what a certificate is. But OpenSSL takes a tenth of a millisecond for one,
 * nearly all of it for its key, and whoever looks at a thousand nodes looks at thirteen thousand. Given the numbers alone
 * it makes the same key in a fraction of that, and so it need not be asked about what is plain.
 * @param certificate parsed as DER, whose extensions and times have been read
 * @returns undefined where there is anything unusual about it
 */
export function plainPublicKey(certificate: Asn1): KeyObject | undefined {
  const [tbs, outerAlgorithm, signature, ...more] = partsIn(certificate, 'sequence');
  const fields = partsIn(tbs, 'sequence');
  const [version, serialNumber, algorithm, issuer, validity, subject, keyInfo, extensions, ...others] =
    fields;
  const isPlain =
    more.length === 0 &&
    others.length === 0 &&
    isVersion3(version) &&
    isContentOf(serialNumber, 'integer') &&
    areAlgorithm(algorithm, outerAlgorithm) &&
    isName(issuer) &&
    partsIn(validity, 'sequence').length === 2 &&
    isName(subject) &&
    isContext(extensions, 3) &&
    areExtensions(extensions) &&
    wholeBytes(signature) !== undefined;
  return isPlain ? plainKey(keyInfo) : undefined;
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
      const [attribute, ...more] = partsIn(name, 'set');
      const [type, text, ...rest] = partsIn(attribute, 'sequence');
      return more.length === 0 && rest.length === 0 && isOid(type) && isAscii(text);
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
  const [id, critical] = parts;
  const content = parts.at(-1);
  // DER leaves a DEFAULT out: critical is there when it is TRUE.
  const isCriticalTrue = isUniversal(critical, 'boolean') && critical.value === '\xff';
  return (
    isOid(id) &&
    (parts.length === 2 || (parts.length === 3 && isCriticalTrue)) &&
    isContentOf(content, 'octetString')
  );
}
