import { encodeDer, oid, primitive, sequence, set, type Asn1 } from './der.ts';

const organization = '2.5.4.10';
const commonName = '2.5.4.3';

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
