import { moveBack } from '../../src/storage/aside.ts';
import { recover } from '../../src/storage/recovery.ts';
import { stateFor } from '../support/state.ts';
import type { Tree } from '../support/tree.ts';
import { doneInProcess as done } from '../support/in-process.ts';

export type Recover = (tree: Tree) => Promise<void>;

/** As an operator does it. */
export async function recoverByCommand(tree: Tree): Promise<void> {
  await done(tree, 'recover');
}

/** What that command does to the files, in this process: a program takes five times as long to start as to do it. */
export function recoverHere({ directory, certDir, kubeconfigDir }: Tree): Promise<void> {
  const state = stateFor(certDir, { root: directory, kubeconfigDir });
  moveBack(state);
  recover(state);
  return Promise.resolve();
}
