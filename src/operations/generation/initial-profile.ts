import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { KubernetesVersion } from '../../config/kubernetes-version.ts';
import { newProfile, type CertificateProfile } from '../../pki/issue/profile.ts';
import { commonNameOf, requestedNames, type NodeIdentity } from '../names/node-names.ts';

/** Those that kubeadm gives since 1.29, since when it makes super-admin.conf; those from before; and those of the newest. */
export type Organizations = 'current' | 'older' | 'newer';

/**
 * The newest kubeadm makes apiserver-kubelet-client without an organization, and a ClusterRoleBinding that gives its user the rights
 * (kubeadm:apiserver-kubelet-client). Without this binding kubelets would refuse the API server, and `kubectl logs` would fail; with the
 * organization from before it works in every cluster since 1.29. So the organization is left out only where the version is known.
 * The configuration's version cannot ask for the organizations from before 1.29, as kubeadm may be newer than what it installs.
 */
export function organizationsSince({
  compat,
  configured,
}: {
  readonly compat?: KubernetesVersion | undefined;
  readonly configured: KubernetesVersion | undefined;
}): Organizations {
  if (compat !== undefined && compat.minor < 29) return 'older';
  const version = compat ?? configured;
  return version !== undefined && bindsTheUser(version) ? 'newer' : 'current';
}

/** By minor version the first patch release that does; every release after these minor versions does. */
const firstToBindTheUser: ReadonlyMap<number, number> = new Map([
  [33, 12],
  [34, 8],
  [35, 5],
  [36, 1],
]);

/** Without its patch a version is the first of its minor version. */
function bindsTheUser({ minor, patch = 0, isPreRelease }: KubernetesVersion): boolean {
  const first = firstToBindTheUser.get(minor);
  if (first === undefined) return minor > 36;
  return patch > first || (patch === first && !isPreRelease);
}

export function organizationsOf(
  { subject }: CertificateSpec,
  organizations: Organizations,
): readonly string[] {
  const own = { older: subject.olderOrganizations, newer: subject.newerOrganizations, current: undefined };
  return own[organizations] ?? subject.organizations;
}

export function isMadeWith(organizations: Organizations, { name }: { readonly name: string }): boolean {
  return organizations !== 'older' || name !== 'super-admin.conf';
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
