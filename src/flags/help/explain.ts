import type { Command } from 'commander';
import type { TopicName } from './topics.ts';

/** What the help of a command says besides what commander knows of it. */
export interface Explanation {
  /** Command lines, first in the help. One that is longer than a line is continued on the next. */
  readonly examples?: readonly string[];
  /** Paragraphs at the end. */
  readonly notes?: readonly string[];
  /** The pages that say more. */
  readonly pages?: readonly TopicName[];
}

const explanations = new WeakMap<Command, Explanation>();

export function explain(command: Command, explanation: Explanation): void {
  explanations.set(command, explanation);
}

export function explanationOf(command: Command): Explanation {
  return explanations.get(command) ?? {};
}
