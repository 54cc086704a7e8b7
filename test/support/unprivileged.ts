import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './kubepki.ts';
import { temporaryDirectory, type Cleanup } from './tree.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Runs kubepki as a user who owns nothing. From a copy, as the project itself may lie where only root can go.
 * @param setpriv path of util-linux' setpriv, needed when the tests run as root
 */
export function unprivileged(t: Cleanup, setpriv: string, args: readonly string[]): Outcome {
  const copy = temporaryDirectory(t);
  for (const name of ['bin', 'dist']) {
    mkdirSync(join(copy, name));
    cpSync(join(project, name), join(copy, name), { recursive: true });
  }
  cpSync(join(project, 'package.json'), join(copy, 'package.json'));
  chmodSync(copy, 0o755);
  const command = [process.execPath, join(copy, 'bin/kubepki.js'), ...args];
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
