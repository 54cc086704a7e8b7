import { targetsOf, type Renewable } from '../operations/plan-renewal.ts';
import { describeAlgorithm } from '../pki/private-key.ts';
import type { PlannedChange } from '../render/dry-run.ts';
import { sanDifference } from '../render/san-difference.ts';

/** What a renewal would do, said without making a key: the new serial number is not known, and neither is the content. */
export function plannedChanges(renewables: readonly Renewable[]): PlannedChange[] {
  return renewables.map(({ spec, place, issuer, keyAlgorithm, sans, validity }) => {
    return {
      name: spec.name,
      oldNotAfter: place.state.chain[0].notAfter,
      newNotAfter: validity.notAfter,
      capped: validity.capped,
      issuer: issuer.certificate.x509.subject.replaceAll('\n', ', '),
      keyType: describeAlgorithm(keyAlgorithm),
      ...(sans === undefined ? {} : { remark: sanDifference(sans.edit) }),
      files: targetsOf(place).map(({ path }) => path),
    };
  });
}
