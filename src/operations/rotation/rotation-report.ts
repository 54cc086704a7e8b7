import { certificateAuthority, type CaName } from '../../catalog/catalog.ts';
import { realChanges, type CertificateRecord } from '../../changeset/change-set.ts';
import { factsOf } from '../change/certificate-facts.ts';
import {
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';
import { renewed } from '../renewal/renewal-report.ts';
import type { Renewable } from '../renewal/plan-renewal.ts';
import type { RotatedAuthority, Stage } from './plan.ts';

interface Rotated {
  readonly stage: Stage;
  readonly authorities: readonly RotatedAuthority[];
  /** The certificates that the new CA signs: of `switch` alone. */
  readonly renewables: readonly Renewable[];
  /** Host paths of the files of a CA: its certificate, its key, and what the rotation keeps of it. */
  readonly filesOf: (name: CaName) => ReadonlySet<string>;
}

/** A row for each CA, and one for each certificate that the new CA signs. Files of no row stand apart. */
export function rotationReport(
  { stage, authorities, renewables, filesOf }: Rotated,
  step: ChangeStage,
): ChangeReport {
  const command = `ca rotate ${stage}` as const;
  if (step.kind === 'refused') {
    const certificates = authorities.map(({ name, old }): CertificateReport => ({
      name,
      components: [],
      old: factsOf(old),
      outcome: 'unchanged',
      reason: 'nothing was changed, as something stands against it',
    }));
    return { command, ...stageOf(step), certificates, otherFiles: [] };
  }
  const changed = realChanges(step.change.changes).map(({ target }) => target.path);
  const certificates = [
    ...authorities.map(({ name, old, next }) => ({
      name,
      components: restartsFor(stage, name) ? certificateAuthority(name).readAtStart : [],
      old: factsOf(old),
      outcome: stage === 'prepare' ? ('prepared' as const) : ('rotated' as const),
      new: factsOf(next),
      files: changed.filter((path) => filesOf(name).has(path)),
    })),
    ...renewables.map((renewable) => {
      const { spec, chain } = renewable;
      return {
        name: spec.name,
        components: spec.components,
        old: factsOf(chain[0]),
        ...renewed(renewable, step),
      };
    }),
  ];
  const named = new Set(certificates.flatMap(({ files }) => files));
  return { command, ...stageOf(step), certificates, otherFiles: changed.filter((path) => !named.has(path)) };
}

/** The records of the CAs in the backup of a stage. */
export function rotationRecords(stage: Stage, authorities: readonly RotatedAuthority[]): CertificateRecord[] {
  return authorities
    .filter(({ name }) => restartsFor(stage, name))
    .map(({ name, old, next }) => ({ name, old: factsOf(old), new: factsOf(next) }));
}

/**
 * What reads a CA when it starts has to start again. At the end only kubeconfigs change, and files of certificates, which are taken up as
 * they change.
 */
function restartsFor(stage: Stage, name: CaName): boolean {
  return stage !== 'prepare' && (stage !== 'finish' || name === 'ca');
}
