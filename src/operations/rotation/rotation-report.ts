import { certificateAuthority, type CaName, type Component } from '../../catalog/catalog.ts';
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
  /** What uses another file that the stage changes, and reads it when it starts. */
  readonly readers?: readonly Component[];
  /** Host paths of the files of a CA: its certificate, its key, and what the rotation keeps of it. */
  readonly filesOf: (name: CaName) => ReadonlySet<string>;
}

/** A row for each CA, and one for each certificate that the new CA signs. Files of no row stand apart. */
export function rotationReport(
  { stage, authorities, renewables, readers = [], filesOf }: Rotated,
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
      components: [
        ...new Set([
          ...(restartsFor(stage) ? certificateAuthority(name).readAtStart : []),
          ...(name === 'ca' ? readers : []),
        ]),
      ],
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
  return restartsFor(stage)
    ? authorities.map(({ name, old, next }) => ({ name, old: factsOf(old), new: factsOf(next) }))
    : [];
}

/** What reads a CA when it starts has to start again. */
function restartsFor(stage: Stage): boolean {
  return stage === 'trust' || stage === 'switch' || stage === 'distrust';
}
