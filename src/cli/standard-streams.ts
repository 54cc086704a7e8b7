import { fstatSync, writeSync } from 'node:fs';
import { errnoOf } from '../filesystem/filesystem-error.ts';

export type OutputName = 'stdout' | 'stderr';

const descriptors: Readonly<Record<OutputName, number>> = { stdout: 1, stderr: 2 };
const opened = new Set<OutputName>();
let onError: (name: OutputName, error: Error) => void = () => undefined;

/** What becomes of an error in writing; it may be called while something is written, or later. */
export function onOutputError(handler: typeof onError): void {
  onError = handler;
}

/**
 * Written when this returns, unless the reader makes us wait. node's own stream, which costs a tenth of a start, is opened
 * for a terminal and for a pipe that somebody has made non-blocking and that is full.
 */
export function writeOutput(name: OutputName, text: string): void {
  if (opened.has(name)) {
    process[name].write(text);
    return;
  }
  const bytes = Buffer.from(text);
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(descriptors[name], bytes, written);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (errnoOf(error) === 'EAGAIN') open(name).write(bytes.subarray(written));
    else onError(name, error);
  }
}

/** What was written is with the reader, or has been refused: nothing waits in this process. */
export function isAllWritten(): boolean {
  return opened.size === 0;
}

/** Is somebody looking at it? */
export function isTerminal(name: OutputName): boolean {
  return mayBeTerminal(descriptors[name]) && open(name).isTTY;
}

/** A terminal is a character device; /dev/null is one too, among those whose major number is 1 (Linux, devices.txt). */
function mayBeTerminal(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isCharacterDevice() && ((stats.rdev >> 8) & 0xfff) !== 1;
  } catch {
    // Closed.
    return false;
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
