import type { CertificateSpec } from '../../catalog/catalog.ts';

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
