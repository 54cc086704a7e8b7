import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Component } from '../catalog/catalog.ts';
import type { CertificateRecord, ChangeSet, FileTarget, SigningFiles } from '../changeset/change-set.ts';
import type { ChangePlace } from '../changeset/past-change.ts';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { hookFacts, type ChangeReport } from '../operations/change/change-report.ts';
import type { Stage as RotationStage } from '../operations/rotation/plan.ts';
import { linkToDated } from '../storage/dated-link.ts';
import { acquireLock, type Lock } from '../storage/lock.ts';
import { moveBack, type Return } from '../storage/aside.ts';
import { recover, type Recovery } from '../storage/recovery.ts';
import type { StateDirectory } from '../storage/state-directory.ts';
import { openTransaction, type OpenTransaction, type ReadStaged } from '../storage/transaction.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Node } from '../node/node-options.ts';
import { announceRestarts, componentsOf, pendingComponents, tidyPending } from './restart/pending.ts';
import { announceHook, keepHooks, tidyHooks } from './pending-hooks.ts';
import type { Progress } from '../terminal/progress.ts';
import type { RestartFlags } from '../flags/table.ts';
import type { CleanedUp } from '../terminal/interruptions.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { stateOf } from '../node/waiting.ts';
import type { Typed } from '../flags/table.ts';

const retryMs = 100;

/** On a terminal the run says that it waits, and for which other run. */
async function takeLock(
  node: Node,
  state: StateDirectory,
  timeoutMs: number,
  terminal: Terminal,
): Promise<Lock> {
  const deadline = performance.now() + timeoutMs;
  let waiting: Progress | undefined;
  try {
    return await acquireLock({
      state,
      newDirectoryMode: node.isPlanned ? 0o755 : undefined,
      pid: process.pid,
      command: invocation(),
      wait: async () => {
        const leftMs = deadline - performance.now();
        if (leftMs <= 0) return false;
        waiting ??= terminal.progress('waiting for another run to end');
        await sleep(Math.min(retryMs, leftMs));
        return true;
      },
    });
  } finally {
    waiting?.end();
  }
}

/**
 * Takes the lock and brings an interrupted change to an end, then runs: what is read inside is what is committed.
 * @param resume false: the interrupted change is left to the caller
 * @throws KubepkiError busy, unfinished
 */
export async function underLock<T>(
  node: Node,
  { lockTimeout }: Typed<'lockTimeout'>,
  terminal: Terminal,
  run: (state: StateDirectory) => Promise<T>,
  { resume = true }: { readonly resume?: boolean } = {},
): Promise<T> {
  const state = stateOf(node);
  const lock = await takeLock(node, state, lockTimeout, terminal);
  const forget = terminal.interruptions.onInterrupt(() => {
    lock.release();
  });
  try {
    if (resume) {
      // First: every second that a manifest is away, its component is down.
      noteManifest(moveBack(state), terminal);
      const recovery = recover(state);
      noteRecovery(recovery, terminal);
      if (recovery.outcome !== 'none') terminal.interruptions.noteRecovered();
      tidyPending(state, node.typed, terminal);
      tidyHooks(state, terminal);
    }
    return await run(state);
  } finally {
    forget();
    release(lock, terminal);
  }
}

export interface Change {
  readonly changes: ChangeSet;
  /** The CAs that it relies on. */
  readonly signedBy: readonly SigningFiles[];
  readonly certificates: readonly CertificateRecord[];
  readonly verify: (read: ReadStaged) => void;
  /** Directories that are not there yet are made, with this mode. */
  readonly newDirectoryMode?: 0o700 | 0o755;
  /** What has to start again beside what uses the certificates. */
  readonly components?: readonly Component[];
  /** Files among these that become links to dated ones, as the kubelet has them, once the change is made. */
  readonly unlinked?: readonly FileTarget[];
  /** The stage of a rotation that it brings the node to. */
  readonly stage?: RotationStage | undefined;
}

interface ChangeOptions extends RestartFlags {
  /** undefined: no old one goes. */
  readonly keepBackups?: number | undefined;
  readonly now: Date;
  readonly terminal: Terminal;
  /** What uses the certificates is to be restarted afterwards. */
  readonly restart?: boolean | undefined;
  /** The files are those from before this earlier change: what was to follow that need not any more. */
  readonly restores?: ChangePlace;
  readonly deployHook?: string;
  /** What will be said of the change once it is made, and what its hook is told. */
  readonly report: (backup: string, change: Change) => ChangeReport;
}

type MadeChange =
  | { readonly kind: 'interrupted'; readonly code: ExitCode }
  /** `backup`: its name; undefined when there was nothing to change. */
  | { readonly kind: 'made'; readonly backup: string | undefined; readonly change: Change };

/**
 * Makes a change, all of it or nothing. An interruption before the point of no return leaves nothing behind; after it,
 * the change is made.
 */
export async function makeChange(
  state: StateDirectory,
  change: Change,
  options: ChangeOptions,
): Promise<MadeChange> {
  const { changes, signedBy, newDirectoryMode } = change;
  if (changes.length === 0) return { kind: 'made', backup: undefined, change };
  options.terminal.interruptions.hold();
  const transaction = openTransaction(
    state,
    changes.map(({ target }) => target),
    {
      occasion: { time: options.now.toISOString(), command: invocation() },
      signedBy,
      ...(newDirectoryMode === undefined ? {} : { newDirectoryMode }),
    },
  );
  try {
    for (const one of changes) transaction.stage(one);
    return await announced(state, change, options, transaction);
  } finally {
    giveUp(transaction, options.terminal);
  }
}

/** Before the change word is left of what is to follow it, for a run that is killed right after it. */
async function announced(
  state: StateDirectory,
  change: Change,
  options: ChangeOptions,
  transaction: OpenTransaction,
): Promise<MadeChange> {
  const { terminal } = options;
  try {
    const components = componentsToAnnounce(state, change, options);
    if (components.length > 0) announceRestarts(state, components, change.changes, options);
    const facts =
      options.deployHook === undefined ? undefined : hookFacts(options.report(transaction.id, change));
    if (facts !== undefined) announceHook(state, facts, transaction.id, change.changes);
    else if (options.restores === undefined) keepHooks(state, change.changes);
    return await transact(transaction, change, state, options);
  } finally {
    // If it was not made, or was taken back, the word is of no use: no file is what it says.
    tidyPending(state, options, terminal);
    tidyHooks(state, terminal);
  }
}

/** Also where this run restarts nothing: what an earlier one has left to restart has newer files to use now. */
function componentsToAnnounce(
  state: StateDirectory,
  { certificates, components = [] }: Change,
  { restart, restores }: ChangeOptions,
): readonly Component[] {
  const affected = [...new Set([...componentsOf(certificates.map(({ name }) => name)), ...components])];
  if (restart === true) return affected;
  if (restores !== undefined) return [];
  const pending = pendingComponents(state);
  return affected.filter((component) => pending.includes(component));
}

/** Writes beside their targets what will be there. */
export type Stage = (changes: ChangeSet) => void;

/** A change that is made bit by bit: of what is ready, the files are staged while the rest is still being made. */
interface ArrivingChange {
  /** All that will be staged, in the order in which it will be put in place. */
  readonly targets: readonly FileTarget[];
  readonly signedBy: readonly SigningFiles[];
  readonly make: (stage: Stage) => Promise<Change>;
}

/**
 * The same for a change that takes its time to be made. As long as it does, an interruption ends the process at once, and
 * what was staged goes.
 */
export async function makeArrivingChange(
  state: StateDirectory,
  { targets, signedBy, make }: ArrivingChange,
  options: ChangeOptions,
): Promise<MadeChange> {
  if (targets.length === 0) return { kind: 'made', backup: undefined, change: await make(() => undefined) };
  const occasion = { time: options.now.toISOString(), command: invocation() };
  const transaction = openTransaction(state, targets, { occasion, signedBy });
  const forget = options.terminal.interruptions.onInterrupt(() => leftOf(transaction));
  let change: Change;
  try {
    change = await make((changes) => {
      for (const one of changes) transaction.stage(one);
    });
  } catch (error) {
    giveUp(transaction, options.terminal);
    throw error;
  } finally {
    forget();
  }
  // In the same turn: nothing comes between the one way to be interrupted and the other.
  options.terminal.interruptions.hold();
  try {
    return await announced(state, change, options, transaction);
  } finally {
    // Unless it got as far as being prepared, from where on it looks after itself.
    giveUp(transaction, options.terminal);
  }
}

/** There is an error to tell of already. */
function giveUp(transaction: OpenTransaction, terminal: Terminal): void {
  const left = leftOf(transaction);
  if (left !== undefined) terminal.warning(left.said);
}

/** Nothing, unless it could not be removed: then the next run removes it. */
function leftOf(transaction: OpenTransaction): CleanedUp | undefined {
  try {
    transaction.abort();
    return undefined;
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return { said: [error.oneLine, error.hint].filter((one) => one !== undefined).join('; ') };
  }
}

/** @param transaction in which all is staged */
async function transact(
  transaction: OpenTransaction,
  change: Change,
  state: StateDirectory,
  { keepBackups, now, terminal, restores }: ChangeOptions,
): Promise<MadeChange> {
  const occasion = {
    time: now.toISOString(),
    command: invocation(),
    user: userName(),
    certificates: change.certificates,
    restored: restores ?? null,
    stage: change.stage,
  };
  const { unlinked = [] } = change;
  const prepared = transaction.prepare({ occasion, verify: change.verify, keepBackups });
  const interruption = await terminal.interruptions.duringHold();
  if (interruption !== undefined) {
    prepared.abort();
    return { kind: 'interrupted', code: interruption };
  }
  const { backup, warnings, left } = prepared.finish();
  terminal.interruptions.noteChanged();
  for (const warning of warnings) terminal.warning(warning);
  for (const target of unlinked) linkToItsDate(state, target, now, terminal);
  const changes = change.changes.filter(({ target }) => !left.includes(target.path));
  return { kind: 'made', backup, change: { ...change, changes } };
}

/** The file is what it should be with or without it: the kubelet starts, and only rotates no more. */
function linkToItsDate({ root }: StateDirectory, { path }: FileTarget, now: Date, terminal: Terminal): void {
  try {
    linkToDated(root, path, now);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    terminal.warning(
      `${path}: is a file and could not be made a link, so that the kubelet cannot rotate it: ${error.oneLine}`,
    );
  }
}

/** A manifest that another program has put there stays; the operator must be told where ours is. */
export function noteReturn(returned: Return, terminal: Terminal): void {
  if (returned.outcome !== 'kept') return;
  terminal.warning(
    `${returned.path}: somebody has put another manifest there meanwhile, which stays; the one before is ${returned.keptAs}`,
  );
}

export function noteManifest(returned: Return, terminal: Terminal): void {
  switch (returned.outcome) {
    case 'none':
      return;
    case 'back':
      terminal.note(
        `a restart was interrupted, and the manifest was put back: ${returned.path} (${returned.command})`,
      );
      return;
    case 'in-place':
      terminal.note(`a restart was interrupted, and the manifest is in its place: ${returned.path}`);
      return;
    case 'kept':
      noteReturn(returned, terminal);
      return;
    case 'given-up':
      terminal.note(`an interrupted restart was given up; a manifest may still wait in ${returned.path}`);
      return;
  }
}

export function noteRecovery(recovery: Recovery, terminal: Terminal): void {
  switch (recovery.outcome) {
    case 'none':
      return;
    case 'undone':
      terminal.note(
        `an earlier run was interrupted before it changed anything, and was cleaned up: ${recovery.command}`,
      );
      return;
    case 'completed':
      terminal.note(`an earlier run was interrupted, and its change was completed: ${recovery.command}`);
      return;
    case 'back':
      terminal.note(
        `an earlier run was interrupted, and its change was taken back (${recovery.reason}): ${recovery.command}`,
      );
      return;
  }
}

function release(lock: Lock, terminal: Terminal): void {
  try {
    lock.release();
  } catch (error) {
    // The lock itself is gone with its descriptor; only the file that named us is left.
    if (!(error instanceof KubepkiError)) throw error;
    terminal.warning(error.oneLine);
  }
}

/** The command line of this run, for the reader of its journal or its backup. */
export function invocation(): string {
  return ['kubepki', ...process.argv.slice(2).map(shellWord)].join(' ');
}

function userName(): string {
  const sudoer = process.env['SUDO_USER'];
  const user = accountName();
  return sudoer === undefined || sudoer === '' ? user : `${user} (sudo by ${sudoer})`;
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // No entry in the password database.
    return `uid ${String(process.getuid?.() ?? '?')}`;
  }
}
