/* eslint-disable no-control-regex -- escape sequences are what is looked for */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { until } from '../support/deadline.ts';
import { judge } from '../support/judge.ts';
import { kubepkiBin } from '../support/kubepki.ts';
import { changes, copyFixture, fileChanges, snapshot, type Tree } from '../support/tree.ts';

interface Screen {
  type(...keys: string[]): void;
  /** Waits until the screen shows it. */
  shows(expected: RegExp): Promise<string>;
}

/** Runs a command line in a real terminal (tmux); `exit=N` is on the screen when it has ended. */
function terminal(t: TestContext, tmux: string, command: string): Screen {
  const directory = mkdtempSync(join(tmpdir(), 'kubepki-tmux-'));
  const run = (...args: string[]): string =>
    execFileSync(tmux, ['-S', join(directory, 'tmux'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], TERM: 'xterm-256color', LANG: 'C.UTF-8' },
    });
  run('new-session', '-d', '-x', '140', '-y', '50', `${command}; echo "exit=$?"; exec sleep 1000`);
  t.after(() => {
    run('kill-server');
    rmSync(directory, { recursive: true, force: true });
  });
  const screen = (): string => run('capture-pane', '-p', '-e');
  return {
    type: (...keys) => {
      run('send-keys', ...keys);
    },
    shows: (expected) =>
      until(
        () => {
          const now = screen();
          return expected.test(now) ? now : undefined;
        },
        { deadlineMs: 60_000, otherwise: () => `the screen does not show ${String(expected)}:\n${screen()}` },
      ),
  };
}

function kubepki(...args: string[]): string {
  return ['node', kubepkiBin, 'certs', ...args].map((arg) => `'${arg}'`).join(' ');
}

function tree(t: TestContext): Tree {
  return copyFixture(t, 'expiring-soon');
}

describe('on a terminal', () => {
  const at = ['--at', '2026-12-01T00:00:00Z'];

  test('the table is coloured by urgency', async (t) => {
    const tmux = judge(t, 'tmux');
    if (tmux === undefined) return;
    const { directory } = tree(t);
    const shown = terminal(t, tmux, kubepki('check-expiration', '--rootfs', directory, ...at));
    const screen = await shown.shows(/exit=0/);
    assert.match(screen, /\u001b\[31mscheduler\.conf/, 'expired is red');
    assert.match(screen, /\u001b\[33madmin\.conf/, 'within 30 days is yellow');
    assert.match(screen, /\u001b\[39metcd-server/, 'later is plain');
  });

  for (const [what, prefix, flag] of [
    ['NO_COLOR', 'NO_COLOR=1 ', []],
    ['TERM=dumb', 'TERM=dumb ', []],
    ['--no-color', '', ['--no-color']],
  ] as const) {
    test(`${what} switches colour off`, async (t) => {
      const tmux = judge(t, 'tmux');
      if (tmux === undefined) return;
      const { directory } = tree(t);
      const command = prefix + kubepki('check-expiration', '--rootfs', directory, ...at, ...flag);
      const screen = await terminal(t, tmux, command).shows(/exit=0/);
      assert.match(screen, /scheduler\.conf/);
      assert.doesNotMatch(screen, /\u001b\[3[0-8]m/);
    });
  }

  test('a pipe gets no colour, even with a terminal on stderr', async (t) => {
    const tmux = judge(t, 'tmux');
    if (tmux === undefined) return;
    const { directory } = tree(t);
    const command = `${kubepki('check-expiration', '--rootfs', directory, ...at)} | od -c | grep -c 033`;
    await terminal(t, tmux, command).shows(/^0\s+exit=1/m);
  });

  test('renew without a name lists, asks, and renews after y', async (t) => {
    const tmux = judge(t, 'tmux');
    if (tmux === undefined) return;
    const { directory } = tree(t);
    const before = snapshot(directory);
    const shown = terminal(t, tmux, kubepki('renew', '--rootfs', directory));
    const question = await shown.shows(/Renew these 10 certificates\? \[y\/N\]/);
    assert.match(question, /apiserver +ends Dec 11, 2026 00:00 UTC/);
    assert.deepEqual(changes(before, snapshot(directory), { inodes: true }), []);
    shown.type('y', 'Enter');
    await shown.shows(/Done renewing certificates[^]*exit=0/);
    assert.equal(fileChanges(before, snapshot(directory)).length, 17);
  });

  for (const [what, keys, code] of [
    ['Enter', ['Enter'], 1],
    ['n', ['n', 'Enter'], 1],
    ['Ctrl-D', ['C-d'], 1],
    ['Ctrl-C', ['C-c'], 130],
  ] as const) {
    test(`${what} as the answer renews nothing, exit ${String(code)}`, async (t) => {
      const tmux = judge(t, 'tmux');
      if (tmux === undefined) return;
      const { directory } = tree(t);
      const before = snapshot(directory);
      // The shell of the terminal would leave with Ctrl-C too.
      const shown = terminal(t, tmux, `trap : INT; ${kubepki('renew', '--rootfs', directory)}`);
      await shown.shows(/\[y\/N\]/);
      shown.type(...keys);
      const screen = await shown.shows(new RegExp(`exit=${String(code)}`));
      assert.match(screen, code === 1 ? /nothing was renewed/ : /interrupted: nothing was changed/);
      assert.deepEqual(changes(before, snapshot(directory), { inodes: true }), []);
    });
  }

  test('renew all does not ask', async (t) => {
    const tmux = judge(t, 'tmux');
    if (tmux === undefined) return;
    const { directory } = tree(t);
    await terminal(t, tmux, kubepki('renew', 'all', '--rootfs', directory)).shows(/Done renewing[^]*exit=0/);
  });
});
