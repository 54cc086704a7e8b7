import type { Condition } from '../../operations/rotation/conditions.ts';
import { printableLines } from '../printable.ts';

const words: Readonly<Record<Condition['outcome']['kind'], string>> = {
  met: 'met',
  accepted: 'accepted',
  unmet: 'NOT MET',
  unmeasured: 'not measured',
};

/** A line for each condition, and below it what stands against it. */
export function conditionLines(conditions: readonly Condition[]): string {
  return printableLines(
    conditions.flatMap(({ name, title, outcome }) => [
      `${words[outcome.kind].padEnd(12)}  ${name}: ${title}`,
      ...(outcome.kind === 'met' ? [] : outcome.reasons.map((reason) => `${' '.repeat(14)}${reason}`)),
    ]),
  );
}
