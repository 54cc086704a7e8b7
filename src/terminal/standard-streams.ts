import { fstatSync, readFileSync, writeSync, type Stats } from 'node:fs';

export type OutputName = 'stdout' | 'stderr';

/** Where what is said goes. */
export interface Output {
  /** Is a person looking at it? */
  readonly isTerminal: boolean;
  /** Nothing waits in it, where process.exit() would lose it. */
  readonly isWritten: boolean;
  /** Never waits for a reader: the work goes on, and a signal is heard. */
  write(text: string): void;
}

/** From the cursor to the end of the screen (ECMA-48, ED). */
const eraseBelow = '\u001b[J';

/** What a run says, on both of its outputs. */
export class Streams {
  readonly #outputs: Readonly<Record<OutputName, Output>>;
  #statusRow = '';
  /** undefined: nothing is held back. */
  #held: { readonly name: OutputName; readonly text: string }[] | undefined;

  constructor(outputs: Readonly<Record<OutputName, Output>>) {
    this.#outputs = outputs;
  }

  isTerminal(name: OutputName): boolean {
    return this.#outputs[name].isTerminal;
  }

  isAllWritten(): boolean {
    return this.#outputs.stdout.isWritten && this.#outputs.stderr.isWritten;
  }

  /** On a terminal it is above the progress line. */
  write(name: OutputName, text: string): void {
    const row = this.isTerminal(name) ? this.#statusRow : '';
    if (row !== '') this.showStatusRow('');
    this.#outputs[name].write(text);
    if (row !== '') this.showStatusRow(row);
  }

  /** From here on what says that all is well is kept until something is wrong: cron mails what it reads. */
  hold(): void {
    this.#held ??= [];
  }

  writeOrHold(name: OutputName, text: string): void {
    if (this.#held === undefined) this.write(name, text);
    else this.#held.push({ name, text });
  }

  /** Something is wrong, so the whole story is told: what was held back, and whatever comes after it. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { name, text } of held) this.write(name, text);
  }

  /**
   * Shows it in the last row of stderr, a terminal, below all that is said; '' takes it away. It must fit into one row. The
   * cursor waits at its beginning: where the terminal becomes narrower and folds the row, all of it is still below the cursor.
   */
  showStatusRow(row: string): void {
    if (row === this.#statusRow && row === '') return;
    this.#statusRow = row;
    this.#outputs.stderr.write(`\r${row}${eraseBelow}${row === '' ? '' : '\r'}`);
  }
}

/**
 * Those of the process, each as it is when this is called.
 * @param onError what becomes of an error in writing; it may be called while something is written, or later
 */
export function standardStreams(onError: (name: OutputName, error: Error) => void): Streams {
  const output = (name: OutputName, descriptor: number): Output =>
    standardOutput(name, descriptor, (error) => {
      onError(name, error);
    });
  return new Streams({ stdout: output('stdout', 1), stderr: output('stderr', 2) });
}

function standardOutput(name: OutputName, descriptor: number, onError: (error: Error) => void): Output {
  const kind = kindOf(descriptor);
  let isOpened = false;
  const open = (): NodeJS.WriteStream => {
    const stream = process[name];
    if (!isOpened) stream.on('error', onError);
    isOpened = true;
    return stream;
  };
  return {
    get isTerminal() {
      if (kind !== 'stream') return false;
      // Another stream has no such property.
      const stream: { readonly isTTY?: boolean } = process[name];
      return stream.isTTY ?? false;
    },
    // How much waits in a stream, Bun's do not say.
    get isWritten() {
      return !isOpened;
    },
    write: (text) => {
      if (kind === 'closed') onError(new Error('it is closed'));
      else if (kind === 'file') writeFile(descriptor, Buffer.from(text), onError);
      else open().write(text);
    },
  };
}

/** A disk that is nearly full takes a part, and the stream that node has for a file does not ask how much that was. */
function writeFile(descriptor: number, bytes: Buffer, onError: (error: Error) => void): void {
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    onError(error);
  }
}

function kindOf(descriptor: number): 'closed' | 'file' | 'stream' {
  const stats = statsOf(descriptor);
  if (stats === undefined) return 'closed';
  if (!isMemoryDevice(stats)) return stats.isFile() ? 'file' : 'stream';
  return wasClosed(descriptor) ? 'closed' : 'file';
}

/** @returns undefined: closed */
function statsOf(descriptor: number): Stats | undefined {
  try {
    return fstatSync(descriptor);
  } catch {
    return undefined;
  }
}

/** Such as /dev/null (Linux, devices.txt: major number 1). */
function isMemoryDevice(stats: Stats): boolean {
  return stats.isCharacterDevice() && ((stats.rdev >> 8) & 0xfff) === 1;
}

/**
 * A result that is lost is an error: was it closed before the program began (`>&-`)? A runtime then opens /dev/null in its
 * place, lest a file get its number. Bun marks that as closed on exec, which nothing is that has come through one; so it is
 * known there. node marks whatever it has, and opens it as others do who throw output away (Python's DEVNULL), so that there
 * it cannot be told from what was meant.
 */
function wasClosed(descriptor: number): boolean {
  return isOpenedHere(descriptor) && ![0, 1, 2].every(isOpenedHere);
}

/** O_CLOEXEC, of which node knows no name. */
const closeOnExec = 0o2000000;

/** Linux, proc_pid_fdinfo(5): its flags, in octal. */
function isOpenedHere(descriptor: number): boolean {
  try {
    const info = readFileSync(`/proc/self/fdinfo/${String(descriptor)}`, 'latin1');
    const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? '0', 8);
    return (flags & closeOnExec) !== 0;
  } catch {
    return false;
  }
}
