import type { NodeVerification, Told } from '../../operations/verification/verification.ts';
import { printable } from '../printable.ts';

const words = { error: 'ERROR', unchecked: 'NOT CHECKED', warning: 'WARNING', note: 'NOTE' } as const;
const counted = {
  error: ['error', 'errors'],
  unchecked: ['thing not checked', 'things not checked'],
  warning: ['warning', 'warnings'],
  note: ['note', 'notes'],
} as const;

/** In one line how the nodes are, then only what is wrong, the worst first, each with its file, its reason and the next step. */
export function verificationSummary(nodes: readonly NodeVerification[]): string {
  const told = nodes.flatMap((node) => node.told);
  const lost = nodes.flatMap(({ error }) => (error === undefined ? [] : [error]));
  return [
    sumOf(told, nodes, lost.length),
    ...lost.flatMap(({ oneLine, hint }) => [
      `ERROR  ${oneLine}`,
      ...(hint === undefined ? [] : [`  ${hint}`]),
    ]),
    ...withoutRepetition(told).flatMap(({ grade, file, message, hint }) => [
      `${words[grade]}  ${file}: ${message}`,
      ...(hint === undefined ? [] : [`  ${hint}`]),
    ]),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

/** A cluster that does not answer is the cause of many checks, and one line for all of them is enough. */
function withoutRepetition(told: readonly Told[]): readonly Told[] {
  const isSame = (one: Told, other: Told): boolean =>
    one.cause !== undefined && one.cause === other.cause && one.file === other.file;
  return told.flatMap((one, index) => {
    if (told.slice(0, index).some((earlier) => isSame(one, earlier))) return [];
    const count = told.filter((other) => isSame(one, other)).length;
    return [count < 2 ? one : { ...one, message: `${String(count)} checks: ${one.cause ?? ''}` }];
  });
}

function sumOf(told: readonly Told[], nodes: readonly NodeVerification[], lost: number): string {
  const checked = nodes.reduce(
    (sum, { results }) => sum + results.filter(({ isJudged }) => isJudged).length,
    0,
  );
  const certificates = nodes.reduce((sum, { rows }) => sum + rows.length, 0);
  const counts = (['error', 'unchecked', 'warning', 'note'] as const).flatMap((grade) => {
    const count = told.filter((one) => one.grade === grade).length + (grade === 'error' ? lost : 0);
    return count === 0 ? [] : [`${String(count)} ${counted[grade][count === 1 ? 0 : 1]}`];
  });
  const of = `${String(checked)} checks of ${String(certificates)} certificates and CAs`;
  return counts.length === 0 ? `all is well: ${of}` : `${counts.join(', ')}; ${of}`;
}
