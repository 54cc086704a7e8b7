import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kubepkiCommand, type Outcome } from '../kubepki.ts';
import { temporaryDirectory, type Cleanup } from '../tree.ts';

const project = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Runs kubepki as a user who owns nothing. From a copy, as the project itself may lie where only root can go.
 * @param setpriv path of util-linux' setpriv, needed when the tests run as root
 */
export function unprivileged(t: Cleanup, setpriv: string, args: readonly string[]): Outcome {
  const copy = temporaryDirectory(t);
  const command = [...copyProgram(copy), ...args];
  chmodSync(copy, 0o755);
  const dropped = [setpriv, '--reuid=65534', '--regid=65534', '--clear-groups', '--', ...command];
  const [program = '', ...rest] = process.getuid?.() === 0 ? dropped : command;
  const { stdout, stderr, status, signal } = spawnSync(program, rest, {
    encoding: 'utf8',
    cwd: '/',
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { stdout, stderr, code: status ?? undefined, signal: signal ?? undefined };
}

/** @returns what starts the copy */
export function copyProgram(directory: string): string[] {
  const [program, ...bundle] = kubepkiCommand;
  if (bundle.length === 0) {
    const executable = join(directory, 'kubepki');
    cpSync(program, executable);
    return [executable];
  }
  for (const name of ['bin', 'dist', 'package.json']) {
    cpSync(join(project, name), join(directory, name), { recursive: true });
  }
  return [program, join(directory, 'bin/kubepki.js')];
}
