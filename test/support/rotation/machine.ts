import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Outcome, Running } from '../kubepki.ts';
import { cleanEnvironment } from '../kubepki.ts';
import type { Numbered, Question, Surroundings } from './components/init.ts';
import type { Containers } from './containers.ts';
import type { NodePlace } from './roots.ts';

/** A machine that runs: its processes, which see one another and its files, and nothing of other machines. */
export class Machine {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  #count = 0;
  #said = '';

  constructor(place: NodePlace, containers: Containers) {
    const [program, ...words] = containers.machine(place);
    this.#process = spawn(program, words, {
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
    }
    this.#process.on('message', ({ number, value }: Numbered<unknown>) => {
      this.#waiting.get(number)?.(value);
      this.#waiting.delete(number);
    });
    this.#process.on('error', (error) => (this.#said += error.message));
  }

  /** What its first process and its kubelet have written. */
  get said(): string {
    return this.#said;
  }

  pid(file: string): Promise<number | undefined> {
    return this.#ask({ call: 'pid', file }) as Promise<number | undefined>;
  }

  log(file: string): Promise<string> {
    return this.#ask({ call: 'log', file }) as Promise<string>;
  }

  starts(): Promise<readonly string[]> {
    return this.#ask({ call: 'starts' }) as Promise<readonly string[]>;
  }

  async restartKubelet(): Promise<void> {
    await this.#ask({ call: 'restart-kubelet' });
  }

  /** Starts kubepki there. */
  begin(args: readonly string[], { env = {}, through = [] }: Partial<Surroundings> = {}): Running {
    const run = this.#count + 1;
    const surroundings = { env: { ...cleanEnvironment(), ...env }, through };
    const ended = this.#ask({ call: 'run', args, ...surroundings }).then((value) => {
      const { code, signal, ...said } = value as Pick<Outcome, 'stdout' | 'stderr'> & {
        readonly code: number | null;
        readonly signal: NodeJS.Signals | null;
      };
      return { ...said, code: code ?? undefined, signal: signal ?? undefined };
    });
    return { ended, kill: (signal) => void this.#ask({ call: 'kill', run, signal }) };
  }

  /**
   * As if its power were cut: its first process ends, and the kernel kills the others. That is waited for: `unshare`, which is not killed,
   * ends when the first process has ended, and that is not before it has seen the last of them go.
   */
  async cut(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    if (this.#process.connected) this.#process.disconnect();
    await exited;
  }

  #ask(value: Question): Promise<unknown> {
    this.#count += 1;
    const number = this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, resolve);
      this.#process.send({ number, value } satisfies Numbered<Question>, (error) => {
        if (error !== null) reject(new Error(`the machine is gone:\n${this.#said}`, { cause: error }));
      });
    });
  }
}
