import {
  contentOf,
  encodeDer,
  isUniversal,
  malformed,
  oid,
  parseDer,
  partsOf,
  primitive,
  sequence,
  set,
  type Asn1,
} from './der.ts';

// Content bytes of the OIDs, in hex.
const commonName = '550403'; // 2.5.4.3
const organization = '55040a'; // 2.5.4.10

/**
 * A subject as kubeadm (Go's pkix.Name) writes it: the organizations in one RDN, then the common name.
 * @returns DER of the Name (RFC 5280, 4.1.2.4)
 */
export function distinguishedName(organizations: readonly string[], name: string): Buffer {
  const attribute = (type: string, value: string): Asn1 => sequence([oid(type), directoryString(value)]);
  return encodeDer(
    sequence([
      ...(organizations.length === 0 ? [] : [set(organizations.map((one) => attribute(organization, one)))]),
      set([attribute(commonName, name)]),
    ]),
  );
}

// RFC 5280, 4.1.2.4: PrintableString where it will do, as Go does, else UTF8String.
function directoryString(value: string): Asn1 {
  return /^[A-Za-z0-9 '()+,./:=?-]*$/.test(value)
    ? primitive('printableString', Buffer.from(value, 'latin1'))
    : primitive('utf8String', Buffer.from(value, 'utf8'));
}

/** The attributes of a Name as `oid=value`, sorted: two spellings of one subject (string types, order) are equal. */
export function attributesOf(name: Buffer): readonly string[] {
  return attributesIn(name)
    .map(({ id, value }) => `${attributeNames[id] ?? id}=${textOf(value)}`)
    .sort();
}

// Name ::= SEQUENCE OF SET OF SEQUENCE { type OBJECT IDENTIFIER, value ANY }
function attributesIn(name: Buffer): { readonly id: string; readonly value: Asn1 }[] {
  return partsOf(parseDer(name))
    .flatMap((rdn) => partsOf(rdn))
    .map((attribute) => {
      const [type, value] = partsOf(attribute);
      if (type === undefined || value === undefined) throw malformed();
      return { id: contentOf(type).toString('hex'), value };
    });
}

/** What Kubernetes reads of a subject: the name of a user, and the groups that the user is in. */
export interface Identity {
  readonly commonNames: readonly string[];
  readonly organizations: readonly string[];
}

/**
 * The identity as Go's pkix.Name has it, which passes over a value that is no text.
 * @throws KubepkiError bad-certificate
 */
export function identityIn(name: Buffer): Identity {
  const attributes = attributesIn(name);
  const valuesOf = (wanted: string): string[] =>
    attributes.flatMap(({ id, value }) => (id === wanted && isText(value) ? [textOf(value)] : []));
  return { commonNames: valuesOf(commonName), organizations: valuesOf(organization) };
}

// An attribute without a name here is shown by its OID's bytes.
const attributeNames: Readonly<Record<string, string>> = {
  [commonName]: 'CN',
  '550406': 'C',
  '550407': 'L',
  '550408': 'ST',
  [organization]: 'O',
  '55040b': 'OU',
  '550405': 'serialNumber',
};

// The types that Go (encoding/asn1) reads as a string. It takes a value of any other type for no name at all: a certificate whose
// common name is an OCTET STRING names no user to Kubernetes.
const stringTypes = [
  'utf8String',
  'printableString',
  'ia5String',
  'numericString',
  't61String',
  'bmpString',
] as const;

function isText(value: Asn1): boolean {
  return stringTypes.some((type) => isUniversal(value, type));
}

/** Whether all programs that read the attribute read the same text, Go's included. */
export function isDirectoryString(value: Asn1): value is Asn1 & { value: string } {
  return typeof value.value === 'string' && isText(value);
}

/**
 * RFC 5280, 4.1.2.4: all string types are, or contain, ASCII or UTF-8, but for the BMPString with its two octets a character,
 * which forge has decoded. A value that is no string is written as in RFC 4514, 2.4: `#` and its DER in hex. It equals no text,
 * as a text that begins so gets a backslash.
 */
function textOf(value: Asn1): string {
  if (!isDirectoryString(value)) return `#${encodeDer(value).toString('hex')}`;
  const text = isUniversal(value, 'bmpString') ? value.value : contentOf(value).toString('utf8');
  return text.replace(/^[#\\]/, '\\$&');
}
