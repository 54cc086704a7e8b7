import { printable } from '../render/printable.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { isTerminal, writeOutput } from './standard-streams.ts';

type Progress = 'nothing' | 'recovered' | 'changed';

let progress: Progress = 'nothing';
let held = false;
let pending: ExitCode | undefined;
const cleanUps = new Set<CleanUp>();
const restarted: string[] = [];
const decided = new Map<string, string>();

/** What there is to say of it, and the exit code if it went wrong; undefined: nothing. */
export interface CleanedUp {
  readonly said: string;
  readonly code?: ExitCode;
  /** Something was touched: then it must not be said that nothing was changed. */
  readonly changed?: boolean;
}

type CleanUp = () => CleanedUp | undefined;

/**
 * SIGINT and SIGTERM end the process at once, except during a transaction: there they are noticed at its two decisions,
 * before the point of no return and at the end.
 */
export function handleSignals(): void {
  // Unheard, it opens node's debugger, through which every user of this machine could have root do what he likes. kubeadm
  // ignores it, too. bin/kubepki.js hears it before this is loaded.
  process.on('SIGUSR1', () => undefined);
  process.on('SIGINT', () => {
    interrupt(exitCodes.interrupted);
  });
  // SIGHUP: the operator's connection dropped. SIGQUIT: Ctrl-\\, which would otherwise be as sudden as a kill.
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    process.on(signal, () => {
      interrupt(exitCodes.terminated);
    });
  }
}

/**
 * What to do before leaving at once, the last first: the lock's file goes, then the directories that were made for it.
 * @returns forgets it
 */
export function onInterrupt(action: CleanUp): () => void {
  cleanUps.add(action);
  return () => {
    cleanUps.delete(action);
  };
}

/** From here on an interruption waits for {@link interruptionDuringHold} or the end of the program. */
export function holdInterruptions(): void {
  held = true;
}

/** The transaction is over; what comes now can be interrupted at once. */
export function endHold(): void {
  held = false;
}

/**
 * The exit code of a signal that has come meanwhile. A signal is seen when the event loop polls: two turns, as the first
 * may come before this round's poll is looked at again.
 */
export async function interruptionDuringHold(): Promise<ExitCode | undefined> {
  await turn();
  await turn();
  return pending;
}

/** An earlier change was brought to an end; that stays, whatever happens to this run. */
export function noteRecovered(): void {
  if (progress === 'nothing') progress = 'recovered';
}

/** From here on nobody must be told that nothing was changed. */
export function noteChanged(): void {
  progress = 'changed';
}

/** Nor that nothing has happened, when a component has been restarted. */
export function noteRestarted(component: string): void {
  restarted.push(component);
}

/**
 * Nor when something was decided in the cluster, or may have been: what is under way to an API server cannot be called
 * back.
 * @param what in words, such as `csr-1 approved`; undefined: nothing after all
 */
export function noteDecision(name: string, what: string | undefined): void {
  if (what === undefined) decided.delete(name);
  else decided.set(name, what);
}

export function wasChanged(): boolean {
  return progress === 'changed' || restarted.length > 0 || decided.size > 0;
}

/** Whatever is to be done before leaving at once, whichever of it fails. */
export function cleanUp(): readonly CleanedUp[] {
  const done: CleanedUp[] = [];
  for (const action of [...cleanUps].reverse()) {
    cleanUps.delete(action);
    try {
      const one = action();
      if (one !== undefined) done.push(one);
    } catch {
      // The others are to be done all the same; the next run finds what this one has left.
    }
  }
  return done;
}

function interrupt(code: ExitCode): void {
  pending = code;
  if (held) return;
  const done = cleanUp();
  sayInterrupted(done);
  process.exit(done.find((one) => one.code !== undefined)?.code ?? code);
}

const said: Readonly<Record<Progress, readonly string[]>> = {
  nothing: [],
  recovered: ['the earlier change was brought to an end'],
  changed: ['the change is done and complete'],
};

export function sayInterrupted(done: readonly CleanedUp[] = []): void {
  // The terminal has just echoed ^C.
  const lineEnd = isTerminal('stderr') ? '\n' : '';
  const components = restarted.length === 0 ? [] : [`restarted: ${restarted.join(', ')}`];
  const nothing =
    progress !== 'changed' &&
    restarted.length === 0 &&
    decided.size === 0 &&
    !done.some(({ changed }) => changed === true);
  const none = nothing ? [progress === 'recovered' ? 'nothing else was changed' : 'nothing was changed'] : [];
  const change = [...said[progress], ...none].join(', ');
  const text = [
    ...(change === '' ? [] : [change]),
    ...components,
    ...decided.values(),
    ...done.map((one) => one.said),
  ].join('; ');
  writeOutput('stderr', `${lineEnd}interrupted: ${printable(text)}\n`);
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
