import { realChanges, type FileChange } from '../../changeset/change-set.ts';
import type { KubepkiError } from '../../errors/error.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { factsOf } from '../change/certificate-facts.ts';
import {
  refusedWith,
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';
import { factsInUse } from '../change/facts-in-use.ts';
import type { Installable, PlannedInstall } from './plan-install.ts';

export function installReport(
  plan: readonly PlannedInstall[],
  inventory: Inventory,
  strangers: readonly KubepkiError[],
  stage: ChangeStage,
): ChangeReport {
  const changes = stage.kind === 'refused' ? [] : realChanges(stage.change.changes);
  const owned = new Set<FileChange>();
  const filesOf = (installable: Installable): string[] => {
    const places = new Set(installable.place.targets.map(({ resolvedPath }) => resolvedPath));
    const own = changes.filter(({ target }) => places.has(target.resolvedPath));
    for (const change of own) owned.add(change);
    return own.map(({ target }) => target.path);
  };
  const certificates = plan.map((planned): CertificateReport => {
    const { name, components } = planned.spec;
    const common = { name, components, old: factsInUse(inventory, planned.spec) };
    switch (planned.status) {
      case 'installable': {
        if (stage.kind === 'refused') {
          return { ...common, outcome: 'unchanged', reason: whyRefused(plan, strangers) };
        }
        const { installable } = planned;
        const outcome = installable.inPlace ? 'in-place' : 'installed';
        return { ...common, outcome, new: factsOf(installable.chain[0]), files: filesOf(installable) };
      }
      case 'pending': {
        const expected = planned.certificatePath;
        return { ...common, outcome: 'pending', reason: 'it is not signed yet', expected };
      }
      case 'idle':
        return { ...common, outcome: 'idle', reason: 'no request waits for a signature' };
      case 'refused': {
        const reason = planned.errors.map(({ oneLine }) => oneLine).join('; ');
        return { ...common, outcome: 'refused', reason };
      }
    }
  });
  return {
    command: 'install',
    ...stageOf(stage),
    certificates,
    otherFiles: changes.filter((change) => !owned.has(change)).map(({ target }) => target.path),
  };
}

function whyRefused(plan: readonly PlannedInstall[], strangers: readonly KubepkiError[]): string {
  const [stranger] = strangers;
  return stranger === undefined || plan.some(({ status }) => status === 'refused')
    ? refusedWith(plan)
    : `nothing of the set was changed, because of ${stranger.oneLine}`;
}
