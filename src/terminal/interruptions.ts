import { printable } from '../render/printable.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import type { Streams } from './standard-streams.ts';

/** What there is to say of it, and the exit code if it went wrong; undefined: nothing. */
export interface CleanedUp {
  readonly said: string;
  readonly code?: ExitCode;
  /** Something was touched: then it must not be said that nothing was changed. */
  readonly changed?: boolean;
}

type CleanUp = () => CleanedUp | undefined;

type Progress = 'nothing' | 'recovered' | 'changed';

const said: Readonly<Record<Progress, readonly string[]>> = {
  nothing: [],
  recovered: ['the earlier change was brought to an end'],
  changed: ['the change is done and complete'],
};

/**
 * How a run can be interrupted: at once, except during a transaction. There an interruption is noticed at the transaction's two
 * decisions, before the point of no return and at the end. And what the run has done so far, for the one who interrupts it.
 */
export class Interruptions {
  #progress: Progress = 'nothing';
  #isHeld = false;
  #pending: ExitCode | undefined;
  readonly #cleanUps = new Set<CleanUp>();
  readonly #restarted: string[] = [];
  readonly #decided = new Map<string, string>();

  /**
   * What to do before leaving at once, the last first: the lock's file goes, then the directories that were made for it.
   * @returns forgets it
   */
  onInterrupt(action: CleanUp): () => void {
    this.#cleanUps.add(action);
    return () => {
      this.#cleanUps.delete(action);
    };
  }

  /** From here on an interruption waits for {@link duringHold} or the end of the program. */
  hold(): void {
    this.#isHeld = true;
  }

  /** The transaction is over; what comes now can be interrupted at once. */
  endHold(): void {
    this.#isHeld = false;
  }

  /**
   * The exit code of a signal that has come meanwhile. A signal is seen when the event loop polls: two turns, as the first
   * may come before this round's poll is looked at again.
   */
  async duringHold(): Promise<ExitCode | undefined> {
    await turn();
    await turn();
    return this.#pending;
  }

  /** An earlier change was brought to an end; that stays, whatever happens to this run. */
  noteRecovered(): void {
    if (this.#progress === 'nothing') this.#progress = 'recovered';
  }

  /** From here on nobody must be told that nothing was changed. */
  noteChanged(): void {
    this.#progress = 'changed';
  }

  /** Nor that nothing has happened, when a component has been restarted. */
  noteRestarted(component: string): void {
    this.#restarted.push(component);
  }

  /**
   * Nor when something was decided in the cluster, or may have been: what is under way to an API server cannot be called
   * back.
   * @param what in words, such as `csr-1 approved`; undefined: nothing after all
   */
  noteDecision(name: string, what: string | undefined): void {
    if (what === undefined) this.#decided.delete(name);
    else this.#decided.set(name, what);
  }

  wasChanged(): boolean {
    return this.#progress === 'changed' || this.#restarted.length > 0 || this.#decided.size > 0;
  }

  /** A signal has come. @returns what was cleaned up, as the process is to end now; undefined: it has to wait */
  interrupt(code: ExitCode): readonly CleanedUp[] | undefined {
    this.#pending = code;
    return this.#isHeld ? undefined : this.cleanUp();
  }

  /** Whatever is to be done before leaving at once, whichever of it fails. */
  cleanUp(): readonly CleanedUp[] {
    const done: CleanedUp[] = [];
    for (const action of [...this.#cleanUps].reverse()) {
      this.#cleanUps.delete(action);
      try {
        const one = action();
        if (one !== undefined) done.push(one);
      } catch {
        // The others are to be done all the same; the next run finds what this one has left.
      }
    }
    return done;
  }

  /** The last word of a run that was interrupted. */
  say(streams: Streams, done: readonly CleanedUp[] = []): void {
    streams.release();
    // The terminal has just echoed ^C.
    const lineEnd = streams.isTerminal('stderr') ? '\n' : '';
    const restarted = this.#restarted.length === 0 ? [] : [`restarted: ${this.#restarted.join(', ')}`];
    const nothing = !this.wasChanged() && !done.some(({ changed }) => changed === true);
    const none = this.#progress === 'recovered' ? 'nothing else was changed' : 'nothing was changed';
    const change = [...said[this.#progress], ...(nothing ? [none] : [])].join(', ');
    const text = [
      ...(change === '' ? [] : [change]),
      ...restarted,
      ...this.#decided.values(),
      ...done.map((one) => one.said),
    ].join('; ');
    streams.write('stderr', `${lineEnd}interrupted: ${printable(text)}\n`);
  }
}

/** From here on the process hears signals. */
export function handleSignals(interruptions: Interruptions, streams: Streams): void {
  // Unheard, it opens node's debugger, through which every user of this machine could have root do what he likes. kubeadm
  // ignores it, too. bin/kubepki.js hears it before this is loaded.
  process.on('SIGUSR1', () => undefined);
  const codes = {
    SIGINT: exitCodes.interrupted,
    SIGTERM: exitCodes.terminated,
    // The operator's connection dropped.
    SIGHUP: exitCodes.terminated,
    // Ctrl-\, which would otherwise be as sudden as a kill.
    SIGQUIT: exitCodes.terminated,
  };
  for (const [signal, code] of Object.entries(codes)) {
    process.on(signal, () => {
      const done = interruptions.interrupt(code);
      if (done === undefined) return;
      interruptions.say(streams, done);
      process.exit(done.find((one) => one.code !== undefined)?.code ?? code);
    });
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
