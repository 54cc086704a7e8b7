import type { Argument, Option } from 'commander';
import type { Word } from '../render/completion/command-tree.ts';

const offered = new WeakMap<Argument | Option, readonly Word[]>();

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

export function offeredFor(what: Argument | Option): readonly Word[] | undefined {
  return offered.get(what);
}
