import {
  contentOf,
  encodeDer,
  isUniversal,
  oid,
  oidOf,
  partsOf,
  primitive,
  sequence,
  tagged,
  type Asn1,
} from '../der/der.ts';

/** RFC 5280, 4.1.2.9. */
export interface Extension {
  /** Content bytes of extnID in hex: an OID of any length stays exact. */
  readonly id: string;
  readonly critical: boolean;
  /** The DER that the OCTET STRING holds. */
  readonly value: Buffer;
  /** DER of the whole Extension, criticality included: what is carried over is carried over byte for byte. */
  readonly der: Buffer;
}

/** Content bytes of the OIDs, in hex. */
export const extensionIds = {
  subjectKeyIdentifier: '551d0e', // 2.5.29.14
  keyUsage: '551d0f', // 2.5.29.15
  subjectAltName: '551d11', // 2.5.29.17
  basicConstraints: '551d13', // 2.5.29.19
  nameConstraints: '551d1e', // 2.5.29.30
  authorityKeyIdentifier: '551d23', // 2.5.29.35
  extendedKeyUsage: '551d25', // 2.5.29.37
  /** 1.3.6.1.4.1.11129.2.4.2; RFC 6962, 3.3: a transparency log's statement about one certificate, not the next. */
  signedCertificateTimestamps: '2b06010401d679020402',
} as const;

/** Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
export function parseExtension(item: Asn1): Extension {
  const parts = partsOf(item);
  const [id, critical] = parts;
  return {
    id: oidOf(id),
    critical: isUniversal(critical, 'boolean') && contentOf(critical)[0] !== 0,
    value: contentOf(tagged('octetString', parts.at(-1))),
    // Most certificates are never carried over, so their extensions are never encoded.
    get der() {
      return encodeDer(item);
    },
  };
}

export function newExtension(id: string, critical: boolean, value: Asn1): Extension {
  return parseExtension(
    sequence([
      oid(id),
      // DER leaves a DEFAULT out: critical is written only when it is TRUE.
      ...(critical ? [primitive('boolean', Buffer.from([0xff]))] : []),
      primitive('octetString', encodeDer(value)),
    ]),
  );
}

export function findExtension(
  extensions: readonly Extension[],
  name: keyof typeof extensionIds,
): Extension | undefined {
  return extensions.find((extension) => extension.id === extensionIds[name]);
}
