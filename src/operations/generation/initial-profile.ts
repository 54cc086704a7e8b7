import type { CertificateSpec } from '../../catalog/catalog.ts';
import { newProfile } from '../../pki/issue/new-profile.ts';
import type { CertificateProfile } from '../../pki/issue/profile.ts';
import { commonNameOf, requestedNames, type NodeIdentity } from '../names/node-names.ts';

/** Whose organisations: kubeadm changed them in 1.29, and has made super-admin.conf since. */
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

/** Whom a certificate is made out to. */
export interface Naming {
  readonly node: NodeIdentity;
  readonly organizations: Organizations;
}

/** What the first certificate says of its holder, as `kubeadm init` makes it. */
export function initialProfile(spec: CertificateSpec, { node, organizations }: Naming): CertificateProfile {
  const { subject, usages } = spec;
  return newProfile({
    commonName: commonNameOf(spec, node),
    organizations: organizationsOf(spec, organizations),
    usages,
    ...requestedNames(subject.names, node),
  });
}
