import type { ChangeReport } from '../../operations/change/change-report.ts';
import type { RotatedAuthority, Stage } from '../../operations/rotation/plan.ts';
import { printableLines } from '../printable.ts';
import { kubeadmDate } from '../times.ts';

const sentences: Readonly<Record<Stage, string>> = {
  prepare: 'a new CA is prepared, and not in use',
  trust: 'the old and the new CA are trusted, and the old one signs',
  switch: 'the new CA signs, and both are trusted',
  distrust: 'the new CA alone is trusted',
  finish: 'the rotation is finished',
};

/** What a stage has come to: a block for each CA, then what else has changed. */
export function rotatedLines(
  stage: Stage,
  authorities: readonly RotatedAuthority[],
  { certificates, otherFiles, dryRun }: ChangeReport,
): string {
  const filesOf = (name: string): readonly string[] =>
    certificates.flatMap((one) => (one.name === name && 'files' in one ? one.files : []));
  const leaves = certificates.filter(({ name }) => !authorities.some((authority) => authority.name === name));
  return printableLines([
    ...authorities.flatMap(({ name, next }) => [
      `${name}: ${dryRun ? `would be at ${stage}` : sentences[stage]}`,
      `  the new CA is ${next.x509.subject.replaceAll('\n', ', ')}, and ends ${kubeadmDate(next.notAfter)}`,
      ...filesOf(name).map((path) => `  ${path}`),
    ]),
    ...leaves.flatMap((one) => [
      `${one.name} ${dryRun ? 'would be signed' : 'signed'} by the new CA`,
      ...('files' in one ? one.files.map((path) => `  ${path}`) : []),
    ]),
    ...otherFiles.map((path) => `  ${path}`),
    ...(dryRun ? ['nothing was changed (--dry-run)'] : []),
  ]);
}
