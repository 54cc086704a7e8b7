import { initSpecs } from '../../catalog/init-order.ts';
import type { CertificateRecord, ChangeSet } from '../../changeset/change-set.ts';
import {
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';

interface RollbackFacts {
  /** The one that is brought back. */
  readonly restored: string;
  /** Old: what is there now; new: what comes back. */
  readonly records: readonly CertificateRecord[];
  readonly changes: ChangeSet;
  /** Names by host path without symlinks. */
  readonly owners: ReadonlyMap<string, string>;
}

export function rollbackReport(
  { restored, records, changes, owners }: RollbackFacts,
  stage: ChangeStage,
): ChangeReport {
  const ownerOf = ({ target }: ChangeSet[number]): string | undefined => owners.get(target.resolvedPath);
  const certificates = records.map(({ name, old, new: next }): CertificateReport => {
    const spec = initSpecs.find((one) => one.name === name);
    const common = { name, components: spec && 'components' in spec ? spec.components : [], old };
    const files = changes.filter((change) => ownerOf(change) === name).map(({ target }) => target.path);
    return files.length > 0 || old?.fingerprint !== next?.fingerprint
      ? { ...common, outcome: 'rolled-back', new: next, files }
      : { ...common, outcome: 'unchanged', reason: 'it is as it was then' };
  });
  const names = new Set(records.map(({ name }) => name));
  return {
    command: 'rollback',
    ...stageOf(stage),
    restored,
    certificates,
    otherFiles: changes
      .filter((change) => !names.has(ownerOf(change) ?? ''))
      .map(({ target }) => target.path),
  };
}
