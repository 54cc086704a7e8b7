import { sha256 } from '../filesystem/regular-file.ts';
import type { ChangeSet } from './change-set.ts';

/** Those after which a file holds something else, or is gone: a file may be replaced by what it was. */
export function realChanges(changes: ChangeSet): ChangeSet {
  return changes.filter(({ target, after }) => target.before?.sha256 !== (after && sha256(after.content)));
}
