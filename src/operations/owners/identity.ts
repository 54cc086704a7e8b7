import type { CertificateSpec, SubjectSpec } from '../../catalog/catalog.ts';
import { isDnsName } from '../../config/host-names.ts';
import { identityIn, type Identity } from '../../pki/der/name.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';

/** Whom Kubernetes takes the holder of a certificate for. */
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
 * Whom kubeadm makes it out to today. A node's certificate keeps the name of its node, which the catalog does not know.
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

/** As `CN=admin, O=some, O=other`. */
export function identityText({ commonNames, organizations }: Identity): string {
  const parts = [...commonNames.map((name) => `CN=${name}`), ...organizations.map((name) => `O=${name}`)];
  return parts.length === 0 ? 'nobody (no CN, no O)' : parts.join(', ');
}

/** As {@link identityText}, with all organizations that any kubeadm has given. */
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

// Kubernetes makes a group of each; their order means nothing. One that is there twice is two, and so no catalog's.
function isSameSet(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one) => others.includes(one));
}
