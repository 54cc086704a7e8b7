import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { CertificateFacts } from '../../changeset/change-set.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { factsOf } from './certificate-facts.ts';
import { certificateInUse } from '../install/match-signed.ts';

/** @returns undefined when there is none, or none that can be read */
export function factsInUse(inventory: Inventory, spec: CertificateSpec): CertificateFacts | undefined {
  const certificate = certificateInUse(inventory, spec);
  return certificate && factsOf(certificate);
}
