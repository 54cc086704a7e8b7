import { fstatSync, readFileSync, writeSync, type Stats } from 'node:fs';

export type OutputName = 'stdout' | 'stderr';

/** O_CLOEXEC, of which node knows no name. */
const closeOnExec = 0o2000000;
const descriptors: Readonly<Record<OutputName, number>> = { stdout: 1, stderr: 2 };
/** What each was when the program began. */
const kinds = { stdout: kindOf(descriptors.stdout), stderr: kindOf(descriptors.stderr) };
const opened = new Set<OutputName>();
let onError: (name: OutputName, error: Error) => void = () => undefined;

/** What becomes of an error in writing; it may be called while something is written, or later. */
export function onOutputError(handler: typeof onError): void {
  onError = handler;
}

/** Never waits for a reader: the work goes on, and a signal is heard. On a terminal it is above the progress line. */
export function writeOutput(name: OutputName, text: string): void {
  const row = isTerminal(name) ? statusRow : '';
  if (row !== '') showStatusRow('');
  if (kinds[name] === 'closed') onError(name, new Error('it is closed'));
  else if (kinds[name] === 'file') writeFile(name, Buffer.from(text));
  else open(name).write(text);
  if (row !== '') showStatusRow(row);
}

/** A disk that is nearly full takes a part, and the stream that node has for a file does not ask how much that was. */
function writeFile(name: OutputName, bytes: Buffer): void {
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(descriptors[name], bytes, at);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    onError(name, error);
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

/** Nothing waits in a stream, where process.exit() would lose it. How much does, Bun's streams do not say. */
export function isAllWritten(): boolean {
  return opened.size === 0;
}

/** Is somebody looking at it? */
export function isTerminal(name: OutputName): boolean {
  if (kinds[name] !== 'stream') return false;
  // Another stream has no such property.
  const stream: { readonly isTTY?: boolean } = process[name];
  return stream.isTTY ?? false;
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
