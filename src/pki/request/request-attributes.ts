import { exactly, isContext, isUniversal, malformed, oidOf, partsOf, tagged, type Asn1 } from '../der/der.ts';
import { parseExtension, type Extension } from '../extension/extension.ts';

/** What a request asks for beside a subject and a key. */
export interface RequestAttributes {
  readonly extensions: readonly Extension[];
  /** Attributes beside the extensions, as content bytes of their OIDs in hex. */
  readonly otherAttributes: readonly string[];
}

/** PKCS#9 extensionRequest, 1.2.840.113549.1.9.14 (RFC 2985, 5.4.2). */
export const extensionRequest = '2a864886f70d01090e';

/**
 * Attributes ::= [0] SET OF SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }
 * @throws KubepkiError bad-certificate
 */
export function requestAttributes(attributes: Asn1 | undefined): RequestAttributes {
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

// parseExtension leaves open what stands between the ends.
function extensionOf(item: Asn1): Extension {
  const parts = partsOf(tagged('sequence', item));
  const isWhole = parts.length === 2 || (parts.length === 3 && isUniversal(parts[1], 'boolean'));
  if (!isWhole) throw malformed();
  return parseExtension(item);
}
