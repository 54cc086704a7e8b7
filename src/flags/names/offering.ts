import type { Argument, Option } from 'commander';
import type { Candidates, Word } from '../../render/completion/command-tree.ts';

const offered = new WeakMap<Argument | Option, Candidates>();

/**
 * Says which words a shell may offer for it. Not commander's own choices: what is allowed, and the words of the error when
 * something else is given, are for its parser to say.
 */
export function offering<T extends Argument | Option>(what: T, words: readonly (string | Word)[]): T {
  offered.set(what, {
    kind: 'words',
    words: words.map((word) => (typeof word === 'string' ? { word, description: '' } : word)),
  });
  return what;
}

/** Says that a backup's ID belongs there. */
export function offeringBackups(what: Argument): Argument {
  offered.set(what, { kind: 'backup' });
  return what;
}

export function offeredFor(what: Argument | Option): Candidates | undefined {
  return offered.get(what);
}
