import type { NextStep, Standing } from '../../operations/rotation/next-step.ts';
import type { RotationPlan } from '../../operations/rotation/plan.ts';
import { renderDocument, type DocumentFormat } from '../document.ts';
import { printableLines } from '../printable.ts';

/** Where each node is, and what is next. */
export function nextLines(
  rotation: RotationPlan | undefined,
  nodes: readonly Standing[],
  next: NextStep,
): string {
  if (rotation === undefined) return 'no rotation is prepared on this node\n';
  const names = rotation.authorities.map(({ name }) => name);
  return printableLines([
    `rotation ${rotation.id} of ${names.join(', ')}, prepared ${rotation.createdAt}`,
    ...nodes.map(({ node, role, stage }) => `${node} (${role}) is at ${stage}`),
    ...(next.kind === 'stage' && next.silent.length > 0
      ? [`nothing is known of ${next.silent.join(', ')}`]
      : []),
    ...lineOf(next),
  ]);
}

function lineOf(next: NextStep): string[] {
  switch (next.kind) {
    case 'none':
      return [];
    case 'unclear':
      return [`files of no stage are on ${next.nodes.join(', ')}`];
    case 'over':
      return ['nothing is left but the old keys, which are kept'];
    case 'stage': {
      const where = [...next.controlPlanes, ...next.workers];
      return [`next is ${next.stage}${where.length === 0 ? '' : `, on ${where.join(', ')}`}`];
    }
  }
}

/** The same as a document. */
export function nextDocument(
  rotation: RotationPlan | undefined,
  nodes: readonly Standing[],
  next: NextStep,
  format: DocumentFormat,
): string {
  return renderDocument('CaRotation', { rotation: rotation ?? null, nodes, next }, format);
}
