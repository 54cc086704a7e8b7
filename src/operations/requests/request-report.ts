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
import { unsound, sameSans, notDue } from '../renewal/resting.ts';

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
        case 'missing':
          return { ...common, outcome: 'missing', reason: 'there is no certificate to renew' };
        case 'not-due':
          return { ...common, outcome: 'not-due', reason: notDue(planned.notAfter) };
        case 'unsound':
          return { ...common, outcome: 'unsound', reason: unsound(planned.findings) };
        case 'same-sans':
          return { ...common, outcome: 'same-sans', reason: sameSans };
        case 'refused':
          return { ...common, outcome: 'refused', reason: planned.error.oneLine };
      }
    }),
    otherFiles: refused ? [] : stale.map(({ path }) => path),
  };
}
