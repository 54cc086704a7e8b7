import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until } from './deadline.ts';
import { judge } from './judge.ts';
import { kubepkiCommand } from './kubepki.ts';

export interface Screen {
  type(...keys: string[]): void;
  /** Waits until the screen shows it; colours are in it as escape sequences. */
  shows(expected: RegExp): Promise<string>;
  /** Waits until it is among all bytes ever written to the terminal, and gives them. */
  wrote(expected: RegExp): Promise<string>;
  cursorIsVisible(): boolean;
  /** Makes it so wide; the program is told. */
  resize(columns: number): void;
  /** The program is told that it has no size, as where no terminal has ever said one; what is shown stays as it is. */
  forgetSize(): void;
}

/**
 * Runs a command line in a real terminal (tmux); `exit=N` is on the screen when it has ended.
 * @param columns wide enough for the longest line that is looked for, where it holds a path: a line that is wrapped is two
 * @returns undefined without tmux: the test is skipped then
 */
export function terminal(
  t: TestContext,
  command: string,
  { columns = 140 }: { readonly columns?: number } = {},
): Screen | undefined {
  const tmux = judge(t, 'tmux');
  if (tmux === undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'kubepki-tmux-'));
  const written = join(directory, 'written');
  const run = (...args: string[]): string =>
    // From within: the whole path of a socket must not be longer than 107 bytes.
    execFileSync(tmux, ['-S', 'tmux', '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      cwd: directory,
      env: { PATH: process.env['PATH'], TERM: 'xterm-256color', LANG: 'C.UTF-8' },
    });
  // It begins with Enter, when every byte is already listened to.
  const place = ['-c', process.cwd(), '-x', String(columns), '-y', '50'];
  run('new-session', '-d', ...place, `read go; ${command}; echo "exit=$?"; exec sleep 1000`);
  t.after(() => {
    run('kill-server');
    rmSync(directory, { recursive: true, force: true });
  });
  run('pipe-pane', `cat >'${written}'`);
  run('send-keys', 'Enter');
  const screen = (): string => run('capture-pane', '-p', '-e');
  const bytes = (): string => (existsSync(written) ? readFileSync(written, 'utf8') : '');
  const wait = (read: () => string, expected: RegExp): Promise<string> =>
    until(
      () => {
        const now = read();
        return expected.test(now) ? now : undefined;
      },
      { deadlineMs: 60_000, otherwise: () => `the terminal does not show ${String(expected)}:\n${read()}` },
    );
  return {
    type: (...keys) => {
      run('send-keys', ...keys);
    },
    shows: (expected) => wait(screen, expected),
    wrote: (expected) => wait(bytes, expected),
    cursorIsVisible: () => run('display-message', '-p', '#{cursor_flag}').trim() === '1',
    resize: (columns) => {
      run('resize-window', '-x', String(columns));
    },
    forgetSize: () => {
      const tty = run('display-message', '-p', '#{pane_tty}').trim();
      execFileSync('stty', ['-F', tty, 'columns', '0', 'rows', '0']);
    },
  };
}

/** The words of `kubepki certs …` for a shell. */
export function certsLine(...args: readonly string[]): string {
  return [...kubepkiCommand, 'certs', ...args].map((arg) => `'${arg}'`).join(' ');
}
