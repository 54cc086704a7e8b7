import type { Inventory } from '../../inventory/inventory.ts';
import {
  refusedWith,
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';
import { factsInUse } from '../change/facts-in-use.ts';
import type { PlannedRequest } from './plan-requests.ts';
import { leftOutcome } from '../renewal/resting.ts';

/** The report of `renew --csr-only`: the certificates in use stay. */
export function requestReport(
  plan: readonly PlannedRequest[],
  inventory: Inventory,
  stage: ChangeStage,
): ChangeReport {
  const refused = stage.kind === 'refused';
  const stale = plan.flatMap((one) => (one.status === 'requestable' ? one.requestable.stale : []));
  return {
    command: 'renew --csr-only',
    ...stageOf(stage),
    certificates: plan.map((planned): CertificateReport => {
      const { name, components } = planned.spec;
      const common = { name, components, old: factsInUse(inventory, planned.spec) };
      switch (planned.status) {
        case 'requestable': {
          if (refused) return { ...common, outcome: 'unchanged', reason: refusedWith(plan) };
          const { key, request, certificatePath } = planned.requestable.files;
          return {
            ...common,
            outcome: 'requested',
            new: undefined,
            files: [key.path, request.path],
            csr: request.path,
            expected: certificatePath,
          };
        }
        case 'pending':
          return {
            ...common,
            outcome: 'pending',
            reason: 'a request waits already, and was kept as it is',
            csr: planned.files.request.path,
            expected: planned.files.certificatePath,
          };
        default:
          return { ...common, ...leftOutcome(planned) };
      }
    }),
    otherFiles: refused ? [] : stale.map(({ path }) => path),
  };
}
