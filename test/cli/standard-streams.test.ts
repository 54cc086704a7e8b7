import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { kubepki, kubepkiCommand } from '../support/kubepki.ts';
import { runProgram } from '../support/program.ts';
import { fixturePath, temporaryDirectory } from '../support/tree.ts';

/** More than a pipe holds, which is 64 KiB. */
const trees = Array.from({ length: 60 }, (_none, index) => `${fixturePath('ipv6', '')}${'/.'.repeat(index)}`);
const look = [
  'certs',
  'check-expiration',
  ...['--at', '2027-01-01T00:00:00Z', '-o', 'json', '--rootfs'],
  ...trees,
];

describe('standard output', () => {
  test('a pipe that does not block, and is full: all of it arrives, however slow the reader is', async (t) => {
    const wanted = (await kubepki(look)).stdout;
    assert.ok(wanted.length > 128 * 1024);
    const fifo = join(temporaryDirectory(t), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const end = opened(t, fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const reader = opened(t, fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const [program, ...words] = kubepkiCommand;
    const child = spawn(program, [...words, ...look], { stdio: ['ignore', end, 'inherit'], timeout: 60_000 });
    let text = '';
    // Until it is over, and what it has left in the pipe is read.
    for (let piece = ''; child.exitCode === null || piece !== '';) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      piece = read(reader);
      text += piece;
    }
    assert.equal(child.exitCode, 0);
    assert.equal(text, wanted);
  });

  test('a reader that leaves early (| head) is no error of a help text, either', async () => {
    const script = '{ "$@"; echo "exit=$?" >&2; } | head -c 1 >/dev/null';
    for (const words of [['certs', 'renew', '--help'], ['--version'], look]) {
      const { stderr } = await runProgram('/bin/sh', ['-c', script, 'sh', ...kubepkiCommand, ...words]);
      assert.equal(stderr, 'exit=0\n');
    }
  });

  test('a full disk is an error of a help text, too', async () => {
    const { stderr, code } = await runProgram('/bin/sh', [
      '-c',
      '"$@" >/dev/full',
      'sh',
      ...kubepkiCommand,
      ...['certs', '--help'],
    ]);
    assert.match(stderr, /^error: cannot write to standard output: /);
    assert.equal(code, 1);
  });
});

function opened(t: TestContext, path: string, flags: number): number {
  const descriptor = openSync(path, flags);
  t.after(() => {
    closeSync(descriptor);
  });
  return descriptor;
}

/** @returns nothing where nothing is there */
function read(descriptor: number): string {
  const buffer = Buffer.alloc(4096);
  try {
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, buffer.length, null));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return '';
    throw error;
  }
}
