import { constants, fstatSync, openSync, readFileSync, writeSync, type Stats } from 'node:fs';
import { errnoOf } from '../filesystem/filesystem-error.ts';

export type OutputName = 'stdout' | 'stderr';

const descriptors: Readonly<Record<OutputName, number>> = { stdout: 1, stderr: 2 };
const opened = new Set<OutputName>();
const closed = new Map<OutputName, boolean>();
/** O_CLOEXEC, of which node knows no name. */
const closeOnExec = 0o2000000;
const direct = new Map<OutputName, number | undefined>();
let onError: (name: OutputName, error: Error) => void = () => undefined;

/** What becomes of an error in writing; it may be called while something is written, or later. */
export function onOutputError(handler: typeof onError): void {
  onError = handler;
}

/**
 * Never waits for a reader: the work goes on, and a signal is heard. What can be written at once is. node's own stream,
 * which costs a tenth of a start, is opened for the rest, and for terminals.
 */
export function writeOutput(name: OutputName, text: string): void {
  if (statusRow !== '' && isTerminal(name)) {
    const row = statusRow;
    showStatusRow('');
    open(name).write(text);
    showStatusRow(row);
    return;
  }
  if (isClosed(name)) {
    onError(name, new Error('it is closed'));
    return;
  }
  const descriptor = directDescriptor(name);
  if (descriptor === undefined) {
    open(name).write(text);
    return;
  }
  const bytes = Buffer.from(text);
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(descriptor, bytes, written);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (errnoOf(error) === 'EAGAIN') open(name).write(bytes.subarray(written));
    else onError(name, error);
  }
}

/** From the cursor to the end of the screen (ECMA-48, ED). */
const eraseBelow = '\u001b[J';
let statusRow = '';

/**
 * Shows it in the last row of stderr, a terminal, below all that is said; '' takes it away. It must fit into one row. The
 * cursor waits at its beginning: where the terminal becomes narrower and folds the row, all of it is still below the cursor.
 */
export function showStatusRow(row: string): void {
  if (row === statusRow && row === '') return;
  statusRow = row;
  open('stderr').write(`\r${row}${eraseBelow}${row === '' ? '' : '\r'}`);
}

/** What was written is with the reader, or has been refused: nothing waits in this process. */
export function isAllWritten(): boolean {
  return opened.size === 0;
}

/** Is the stream a terminal? */
export function isTerminal(name: OutputName): boolean {
  const stats = statsOf(name);
  return stats?.isCharacterDevice() === true && !isMemoryDevice(stats) && open(name).isTTY;
}

/** @returns one on which a write never waits; undefined: there is none, or node's stream has begun to write */
function directDescriptor(name: OutputName): number | undefined {
  if (opened.has(name)) return undefined;
  if (!direct.has(name)) direct.set(name, findDirectDescriptor(name));
  return direct.get(name);
}

function findDirectDescriptor(name: OutputName): number | undefined {
  const stats = statsOf(name);
  const descriptor = descriptors[name];
  if (stats?.isFile() === true || (stats !== undefined && isMemoryDevice(stats))) return descriptor;
  if (stats?.isFIFO() !== true) return undefined;
  try {
    // The same pipe, opened once more: not to block is a property of an opening, and that of others is not ours to change.
    return openSync(`/proc/self/fd/${String(descriptor)}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    // No /proc, another user's pipe, or nobody reads it any more: node's stream will tell.
    return undefined;
  }
}

/**
 * Whether it was closed when the program began (`>&-`). A runtime then opens /dev/null in its place, lest a file get its number.
 * Bun marks that as closed on exec, which nothing is that has come through one; so it is known there. node marks whatever it
 * has, and opens it as others do who throw output away (Python's DEVNULL), so that there it cannot be told from what was meant.
 */
function isClosed(name: OutputName): boolean {
  const known = closed.get(name);
  if (known !== undefined) return known;
  const stats = statsOf(name);
  const found =
    stats === undefined ||
    (isMemoryDevice(stats) && isOpenedHere(descriptors[name]) && ![0, 1, 2].every(isOpenedHere));
  closed.set(name, found);
  return found;
}

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

/** Such as /dev/null (Linux, devices.txt: major number 1). */
function isMemoryDevice(stats: Stats): boolean {
  return stats.isCharacterDevice() && ((stats.rdev >> 8) & 0xfff) === 1;
}

/** @returns undefined: closed */
function statsOf(name: OutputName): Stats | undefined {
  try {
    return fstatSync(descriptors[name]);
  } catch {
    return undefined;
  }
}

function open(name: OutputName): NodeJS.WriteStream {
  const stream = process[name];
  if (!opened.has(name)) {
    opened.add(name);
    stream.on('error', (error: Error) => {
      onError(name, error);
    });
  }
  return stream;
}
