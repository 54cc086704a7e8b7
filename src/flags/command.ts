import { type Argument, type Command, Option } from 'commander';
import type { TopicName } from './help/topics.ts';
import { flags, type Flag, type FlagName } from './table.ts';

/** What a command says of itself besides what commander knows: which of the flags it has, what a shell may offer, its examples. */

/** Where a command differs from the table; `says: undefined` hides the flag. */
type Own = { readonly [Key in Exclude<keyof Flag, 'group'>]?: Flag[Key] | undefined };

export function addFlags(
  command: Command,
  names: readonly FlagName[],
  own: Readonly<Partial<Record<FlagName, Own>>> = {},
): Command {
  // A group takes any word for a command, and its commands would inherit that.
  if (command.parent !== null) command.allowExcessArguments(false);
  for (const name of names) command.addOption(optionOf(name, own[name]));
  return command;
}

function optionOf(name: FlagName, own: Own = {}): Option {
  const flag = { ...(flags[name] as Flag), ...own };
  const option = new Option(own.syntax ?? flags[name].syntax, flag.says);
  if (flag.says === undefined) option.hideHelp();
  if (flag.parse !== undefined) option.argParser(flag.parse);
  if (flag.preset !== undefined) option.preset(flag.preset);
  if (flag.default !== undefined) option.default(flag.default, flag.defaultText);
  return flag.offers === undefined ? option : offering(option, flag.offers);
}

export interface Word {
  readonly word: string;
  /** Empty: none. */
  readonly description: string;
}

/** What a shell may offer in the place of a value or a name: words, or the ID of a backup. */
export type Offer = readonly Word[] | 'backup';

const offered = new WeakMap<Argument | Option, Offer>();

/**
 * Says which words a shell may offer for it. Not commander's own choices: what is allowed, and the words of the error when
 * something else is given, are for its parser to say.
 */
export function offering<T extends Argument | Option>(what: T, words: readonly (string | Word)[]): T {
  offered.set(
    what,
    words.map((word) => (typeof word === 'string' ? { word, description: '' } : word)),
  );
  return what;
}

/** Says that a backup's ID belongs there. */
export function offeringBackups(what: Argument): Argument {
  offered.set(what, 'backup');
  return what;
}

export function offeredFor(what: Argument | Option): Offer | undefined {
  return offered.get(what);
}

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
