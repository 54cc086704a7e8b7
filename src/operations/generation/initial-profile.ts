import type { CertificateSpec } from '../../catalog/catalog.ts';
import { newProfile, type CertificateProfile } from '../../pki/issue/profile.ts';
import { commonNameOf } from '../names/node-names.ts';
import { organizationsOf, type Organizations } from './organizations.ts';
import { requestedNames, type NodeIdentity } from '../names/requested-names.ts';

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
