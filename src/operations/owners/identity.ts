import type { CertificateSpec, SubjectSpec } from '../../catalog/catalog.ts';
import { isDnsName } from '../../config/host-names.ts';
import { identityIn, type Identity } from '../../pki/der/name.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';

/** The user and the groups that Kubernetes reads from a certificate. */
export function identityOf({ subject }: Certificate): Identity {
  return identityIn(subject);
}

/** Whether some kubeadm has made out such a certificate to this name, with these organizations. */
export function isOfCatalog({ subject }: CertificateSpec, { commonNames, organizations }: Identity): boolean {
  const [commonName, ...more] = commonNames;
  if (commonName === undefined || more.length > 0 || !isName(subject, commonName)) return false;
  return organizationsEver(subject).some((some) => isSameSet(some, organizations));
}

/**
 * The identity to which kubeadm makes the certificate out today. The catalog does not know the names of nodes, so a node's
 * certificate keeps its own.
 * @returns undefined where that is no name of a node
 */
export function catalogIdentity(
  { subject }: CertificateSpec,
  { commonNames }: Identity,
): Identity | undefined {
  const { commonName, organizations } = subject;
  if (typeof commonName === 'string') return { commonNames: [commonName], organizations };
  const [found, ...more] = commonNames;
  return found === undefined || more.length > 0 || !isName(subject, found)
    ? undefined
    : { commonNames: [found], organizations };
}

/** `CN=admin, O=some, O=other` */
export function identityText({ commonNames, organizations }: Identity): string {
  const parts = [...commonNames.map((name) => `CN=${name}`), ...organizations.map((name) => `O=${name}`)];
  return parts.length === 0 ? 'nobody (no CN, no O)' : parts.join(', ');
}

/** The identities to which any kubeadm has made the certificate out. */
export function catalogText({ subject }: CertificateSpec): string {
  const { commonName } = subject;
  const name = typeof commonName === 'string' ? commonName : `${commonName.node}NODE`;
  return organizationsEver(subject)
    .map((organizations) => identityText({ commonNames: [name], organizations }))
    .join(' or ');
}

function organizationsEver({
  organizations,
  olderOrganizations,
  newerOrganizations,
}: SubjectSpec): (readonly string[])[] {
  return [organizations, olderOrganizations, newerOrganizations].filter((some) => some !== undefined);
}

function isName({ commonName }: SubjectSpec, found: string): boolean {
  if (typeof commonName === 'string') return found === commonName;
  return found.startsWith(commonName.node) && isDnsName(found.slice(commonName.node.length));
}

// Kubernetes makes a group of each organization; their order means nothing. No kubeadm has given one twice.
function isSameSet(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one) => others.includes(one));
}
