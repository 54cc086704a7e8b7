import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { isExecutable, kubepki, kubepkiCommand } from '../../support/kubepki.ts';
import { runProgram } from '../../support/program.ts';
import { fixturePath, temporaryDirectory } from '../../support/tree.ts';

/** More than a pipe holds, which is 64 KiB. */
const trees = Array.from({ length: 60 }, (_none, index) => `${fixturePath('ipv6', '')}${'/.'.repeat(index)}`);
const look = [
  'certs',
  'check-expiration',
  ...['--at', '2027-01-01T00:00:00Z', '-o', 'json', '--rootfs'],
  ...trees,
];

describe('standard output', () => {
  // node opens /dev/null where a descriptor is closed, before any of our lines, and as one does who throws output away.
  test('a standard output that is closed: what was to be said is lost, and that is an error', async () => {
    const closed = async (
      ...words: readonly string[]
    ): Promise<{ stderr: string; code: number | undefined }> =>
      runProgram('/bin/sh', ['-c', '"$@" >&-', 'sh', ...kubepkiCommand, ...words]);
    for (const words of [['--version'], ['certs', '--help'], look]) {
      const { stderr, code } = await closed(...words);
      const error = isExecutable ? 'error: cannot write to standard output: it is closed\n' : '';
      assert.deepEqual([stderr, code], [error, isExecutable ? 1 : 0], words[0]);
    }
  });

  test('a standard error that is closed changes nothing: neither the result nor the exit code', async () => {
    for (const words of [[...look, '--within', '9000d'], ['nonsense'], ['--version']]) {
      const open = await kubepki(words);
      const { stdout, code } = await runProgram('/bin/sh', [
        '-c',
        '"$@" 2>&-',
        'sh',
        ...kubepkiCommand,
        ...words,
      ]);
      assert.deepEqual([stdout, code], [open.stdout, open.code]);
    }
  });

  test('thrown away on purpose, however that was opened, it is no error', () => {
    const [program, ...words] = kubepkiCommand;
    for (const flags of [constants.O_WRONLY, constants.O_RDWR]) {
      const nothing = openSync('/dev/null', flags);
      const { status } = spawnSync(program, [...words, '--version'], { stdio: ['ignore', nothing, nothing] });
      closeSync(nothing);
      assert.equal(status, 0);
    }
  });

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
    for (let piece = ''; isRunning(child) || piece !== '';) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      piece = read(reader);
      text += piece;
    }
    assert.equal(child.exitCode, 0);
    assert.equal(text, wanted);
  });

  for (const name of ['stdout', 'stderr'] as const) {
    test(`a pipe that is full, and nobody reads it (${name}): a signal ends it as ever`, async (t) => {
      const fifo = join(temporaryDirectory(t), 'fifo');
      execFileSync('mkfifo', [fifo]);
      fill(opened(t, fifo, constants.O_RDWR | constants.O_NONBLOCK));
      const end = opened(t, fifo, constants.O_RDWR);
      const [program, ...words] = kubepkiCommand;
      // A result, or a warning beside it.
      const args = name === 'stdout' ? look : [...look, '--within', '9000d'];
      const child = spawn(program, [...words, ...args], {
        stdio: ['ignore', name === 'stdout' ? end : 'ignore', name === 'stderr' ? end : 'ignore'],
        timeout: 60_000,
        killSignal: 'SIGKILL',
      });
      const ended = new Promise((resolve) => {
        child.on('close', (code, signal) => {
          resolve(code ?? signal);
        });
      });
      await asleep(child);
      child.kill('SIGTERM');
      assert.equal(await ended, 143);
    });
  }

  test('a reader that leaves early (| head) is no error of a help text, either', async () => {
    const script = '{ "$@"; echo "exit=$?" >&2; } | head -c 1 >/dev/null';
    for (const words of [['certs', 'renew', '--help'], ['--version'], look]) {
      const { stderr } = await runProgram('/bin/sh', ['-c', script, 'sh', ...kubepkiCommand, ...words]);
      assert.equal(stderr, 'exit=0\n');
    }
  });

  test('a disk that has room for a part of it: that the rest is lost is an error', async (t) => {
    const file = join(temporaryDirectory(t), 'table');
    // 8 blocks of 512 bytes; the signal that is sent then is ignored, and the write takes a part.
    const { stderr, code } = await runProgram('/bin/sh', [
      '-c',
      `trap '' XFSZ; ulimit -f 8; "$@" >'${file}'`,
      'sh',
      ...kubepkiCommand,
      ...look,
    ]);
    assert.match(stderr, /^error: cannot write to standard output: /);
    assert.equal(code, 1);
    assert.equal(statSync(file).size, 4096);
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

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

function fill(pipe: number): void {
  try {
    for (;;) writeSync(pipe, Buffer.alloc(4096, 'x'));
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'EAGAIN');
  }
}

/** It hears SIGTERM, and has nothing to do for a while, because it waits for a reader. */
async function asleep({ pid }: ChildProcess): Promise<void> {
  for (let idle = 0; idle < 20;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    const caught = BigInt(`0x${/^SigCgt:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
    const isWaiting = /^State:\tS/m.test(status) && (caught & (1n << 14n)) !== 0n;
    idle = isWaiting ? idle + 1 : 0;
  }
}

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
