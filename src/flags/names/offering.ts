import type { Argument, Option } from 'commander';

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
