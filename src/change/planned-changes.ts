import { addedAuthorities } from '../operations/places/kubeconfig-authority.ts';
import type { Renewable } from '../operations/renewal/plan-renewal.ts';
import { describeAlgorithm } from '../pki/key/private-key.ts';
import { type PlannedChange, sanDifference } from '../render/change/dry-run.ts';

/** What a renewal would do, said without making a key: the new serial number is not known, and neither is the content. */
export function plannedChanges(renewables: readonly Renewable[]): PlannedChange[] {
  return renewables.map((renewable) => {
    const { spec, place, chain, issuer, keyAlgorithm, sans, validity } = renewable;
    const trusts = place.trusting && addedAuthorities(place.trusting.trusted);
    const remark = sans === undefined ? trusts : sanDifference(sans.edit);
    return {
      name: spec.name,
      oldNotAfter: chain[0].notAfter,
      newNotAfter: validity.notAfter,
      capped: validity.capped,
      issuer: issuer.certificate.x509.subject.replaceAll('\n', ', '),
      keyType: describeAlgorithm(keyAlgorithm),
      ...(remark === undefined ? {} : { remark }),
      files: place.changing.map(({ path }) => path),
    };
  });
}
