import { realChanges, type ChangeSet } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { sha256 } from '../filesystem/regular-file.ts';
import {
  claimPendingHooks,
  dropPendingHook,
  rewritePendingHook,
  tidyPendingHooks,
  writePendingHook,
  type ClaimedHook,
  type PutFile,
} from '../storage/pending-hooks.ts';
import { commandHere, type StateDirectory } from '../storage/state-directory.ts';
import type { HookFacts } from '../operations/change/change-report.ts';
import type { Terminal } from '../terminal/terminal.ts';

/**
 * Leaves word that a hook must follow this change, under the name that its backup will have. Call it under the lock, as
 * the change that it speaks of must not be made yet.
 * @throws KubepkiError no-permission, io
 */
export function announceHook(
  state: StateDirectory,
  facts: HookFacts,
  backup: string,
  changes: ChangeSet,
): void {
  // A request that is cleared away does not tell whether what came of it is still in use.
  const inUse = changes.filter(({ target }) => facts.files.includes(target.path));
  writePendingHook(state, { ...facts, backup, puts: putsOf(inUse) });
}

/**
 * A change that no hook follows: what an earlier one has left to its hook still is, with newer files in place.
 * @throws KubepkiError no-permission, io
 */
export function keepHooks(state: StateDirectory, changes: ChangeSet): void {
  const puts = putsOf(changes);
  for (const { hook, release } of claimPendingHooks(state)) {
    try {
      const again = puts.filter(({ path }) => hook.puts.some((put) => put.path === path));
      if (again.length > 0) rewritePendingHook(state, { ...hook, puts: [...hook.puts, ...again] });
    } finally {
      release();
    }
  }
}

/** What no hook has to follow any more is forgotten; call it under the lock. */
export function tidyHooks(state: StateDirectory, terminal: Terminal): void {
  try {
    for (const { oneLine, hint } of tidyPendingHooks(state)) {
      terminal.warning(oneLine);
      terminal.hint(hint);
    }
  } catch (error) {
    // It is looked at again by the run that would act on it.
    if (!(error instanceof KubepkiError)) throw error;
    terminal.warning(error.oneLine);
  }
}

/**
 * Runs the hook of the command line for what earlier runs have left to theirs, then for this run's own change. A record
 * goes when a hook has ended well, so that one that failed is run again, as a restart that failed is.
 * @param own undefined: this run has changed nothing
 * @param state undefined: of a command that leaves nothing to a hook
 * @returns false when one of them failed, which has been said
 */
export async function runHooks(
  deployHook: string | undefined,
  own: HookFacts | undefined,
  state: StateDirectory | undefined,
  terminal: Terminal,
): Promise<boolean> {
  const owed = state === undefined ? [] : owedHooks(state, terminal);
  if (deployHook === undefined) {
    for (const { release } of owed) release();
    if (state !== undefined) warnOfOwed(owed, state, terminal);
    return true;
  }
  const { runDeployHook } = await import('./deploy-hook.ts');
  let well = true;
  for (const { hook, drop, release } of owed) {
    terminal.note(
      `the deploy hook after an earlier change did not run, or failed, and runs now: ${said(hook)}`,
    );
    const end = await runDeployHook(deployHook, hook, terminal);
    if (end === 'done') forgetting(drop, terminal);
    else release();
    if (end === 'not-run') return false;
    if (end === 'failed') well = false;
  }
  if (own === undefined) return well;
  if ((await runDeployHook(deployHook, own, terminal)) !== 'done') return false;
  const { backup } = own;
  if (state !== undefined && backup !== undefined) {
    forgetting(() => {
      dropPendingHook(state, backup);
    }, terminal);
  }
  return well;
}

/** For a run that only looks. @param willRun a run with this command line would make up for it */
export function noteOwedHooks(
  state: StateDirectory,
  { willRun }: { readonly willRun: boolean },
  terminal: Terminal,
): void {
  const owed = owedHooks(state, terminal);
  for (const { release } of owed) release();
  if (!willRun) {
    warnOfOwed(owed, state, terminal);
    return;
  }
  for (const { hook } of owed) {
    terminal.note(
      `the deploy hook after an earlier change did not run, or failed, and would run: ${said(hook)}`,
    );
  }
}

function owedHooks(state: StateDirectory, terminal: Terminal): readonly ClaimedHook[] {
  try {
    return claimPendingHooks(state);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    // The state is root's alone; a dry run of another user may not look.
    if (error.code !== 'no-permission') terminal.warning(error.oneLine);
    return [];
  }
}

function warnOfOwed(owed: readonly ClaimedHook[], state: StateDirectory, terminal: Terminal): void {
  for (const { hook } of owed) {
    terminal.warning(`the deploy hook after an earlier change did not run, or failed: ${said(hook)}`);
  }
  if (owed.length > 0) terminal.hint(`run it: ${commandHere(state, 'recover --deploy-hook CMD')}`);
}

function said({ command, names, backup }: ClaimedHook['hook']): string {
  return `${command} of ${names.join(', ')} (backup ${backup})`;
}

/** The hook has done its work; with a record that stays it would be run once more. */
function forgetting(drop: () => void, terminal: Terminal): void {
  try {
    drop();
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    terminal.warning(`${error.oneLine}; the next run with --deploy-hook runs the hook once more`);
  }
}

/** A file may be replaced by what it was: then it does not tell whether the change was made. */
function putsOf(changes: ChangeSet): readonly PutFile[] {
  return realChanges(changes).map(({ target, after }) => ({
    path: target.resolvedPath,
    sha256: after === undefined ? null : sha256(after.content),
  }));
}
