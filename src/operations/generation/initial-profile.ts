import type { CertificateSpec } from '../../catalog/catalog.ts';
import { newProfile, type CertificateProfile } from '../../pki/issue/profile.ts';
import { commonNameOf, requestedNames, type NodeIdentity } from '../names/node-names.ts';

/** The organizations that kubeadm gives since 1.29, since when it makes super-admin.conf; or those from before. */
export type Organizations = 'current' | 'older';

/** @param minor of 1.MINOR; undefined: the newest */
export function organizationsSince(minor: number | undefined): Organizations {
  return minor !== undefined && minor < 29 ? 'older' : 'current';
}

export function organizationsOf(
  { subject }: CertificateSpec,
  organizations: Organizations,
): readonly string[] {
  return (organizations === 'older' ? subject.olderOrganizations : undefined) ?? subject.organizations;
}

export function isMadeWith(organizations: Organizations, { name }: { readonly name: string }): boolean {
  return organizations === 'current' || name !== 'super-admin.conf';
}

/** What the subjects and the SANs of a node's certificates are made of. */
export interface Naming {
  readonly node: NodeIdentity;
  readonly organizations: Organizations;
}

/** The profile of a certificate as `kubeadm init` makes it. */
export function initialProfile(spec: CertificateSpec, { node, organizations }: Naming): CertificateProfile {
  const { subject, usages } = spec;
  return newProfile({
    commonName: commonNameOf(spec, node),
    organizations: organizationsOf(spec, organizations),
    usages,
    ...requestedNames(subject.names, node),
  });
}
