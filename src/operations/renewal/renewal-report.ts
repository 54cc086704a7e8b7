import type { Inventory } from '../../inventory/inventory.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import {
  refusedWith,
  stageOf,
  type CertificateReport,
  type ChangedCertificate,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';
import { factsInUse } from '../change/facts-in-use.ts';
import type { PlannedRenewal, Renewable } from './plan-renewal.ts';
import { leftOutcome } from './resting.ts';

export function renewalReport(
  plan: readonly PlannedRenewal[],
  inventory: Inventory,
  stage: ChangeStage,
): ChangeReport {
  return {
    command: 'renew',
    ...stageOf(stage),
    certificates: plan.map((planned): CertificateReport => {
      const { name, components } = planned.spec;
      const common = { name, components, old: factsInUse(inventory, planned.spec) };
      switch (planned.status) {
        case 'renewable':
          return stage.kind === 'refused'
            ? { ...common, outcome: 'unchanged', reason: refusedWith(plan) }
            : { ...common, ...renewed(planned.renewable, stage) };
        case 'external-ca':
          return {
            ...common,
            outcome: 'external-ca',
            reason: `the key of its CA ${planned.caBaseName} is not here`,
          };
        case 'ca-ends-first':
          return {
            ...common,
            outcome: 'ca-ends-first',
            reason: `its CA ${planned.end.caFile} ends on ${isoSeconds(planned.end.caNotAfter)}, so a new one would last no longer`,
          };
        default:
          return { ...common, ...leftOutcome(planned) };
      }
    }),
    otherFiles: [],
  };
}

function renewed(
  renewable: Renewable,
  stage: Exclude<ChangeStage, { kind: 'refused' }>,
): Pick<ChangedCertificate, 'outcome' | 'new' | 'files'> {
  const { spec, place, validity } = renewable;
  const planned = {
    serial: undefined,
    fingerprint: undefined,
    notAfter: isoSeconds(validity.notAfter),
  } as const;
  return {
    outcome: 'renewed',
    new:
      stage.kind === 'made' ? stage.change.certificates.find(({ name }) => name === spec.name)?.new : planned,
    files: place.changing.map(({ path }) => path),
  };
}
