import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { CertificateFacts } from '../../changeset/change-set.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { factsOf } from './certificate-facts.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';

/** @returns undefined when there is none, or none that can be read */
export function factsInUse(inventory: Inventory, spec: CertificateSpec): CertificateFacts | undefined {
  const certificate = certificateInUse(inventory, spec);
  return certificate && factsOf(certificate);
}

export function certificateInUse(inventory: Inventory, spec: CertificateSpec): Certificate | undefined {
  const entry = inventory.certificates.find((candidate) => candidate.spec === spec);
  return entry?.state.status === 'present' ? entry.state.value.chain[0] : undefined;
}
