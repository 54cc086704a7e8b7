/* eslint-disable no-control-regex -- escape sequences are what is looked for */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { certsLine, terminal } from '../../support/screen.ts';
import { treeEnding } from '../../support/certificates/short-lived.ts';
import { changes, copyFixture, fileChanges, snapshot, type Tree } from '../../support/tree.ts';

function tree(t: TestContext): Tree {
  return copyFixture(t, 'expiring-soon');
}

describe('on a terminal', () => {
  const at = ['--at', '2026-12-01T00:00:00Z'];

  test('the table is coloured by urgency', async (t) => {
    const { directory } = tree(t);
    const shown = terminal(t, certsLine('check-expiration', '--rootfs', directory, ...at));
    if (shown === undefined) return;
    const bytes = await shown.wrote(/exit=0/);
    assert.match(bytes, /\u001b\[31mscheduler\.conf\u001b\[39m/, 'expired is red');
    assert.match(bytes, /\u001b\[33madmin\.conf\u001b\[39m/, 'within 30 days is yellow');
    assert.match(bytes, /\netcd-server /, 'later is plain');
  });

  for (const [what, prefix, flag] of [
    ['NO_COLOR', 'NO_COLOR=1 ', []],
    ['TERM=dumb', 'TERM=dumb ', []],
    ['--no-color', '', ['--no-color']],
  ] as const) {
    test(`${what} switches colour off`, async (t) => {
      const { directory } = tree(t);
      const command = prefix + certsLine('check-expiration', '--rootfs', directory, ...at, ...flag);
      const screen = await terminal(t, command)?.shows(/exit=0/);
      if (screen === undefined) return;
      assert.match(screen, /scheduler\.conf/);
      assert.doesNotMatch(screen, /\u001b\[3[0-8]m/);
    });
  }

  test('a pipe gets no colour, even with a terminal on stderr', async (t) => {
    const { directory } = tree(t);
    const command = `${certsLine('check-expiration', '--rootfs', directory, ...at)} | od -c | grep -c 033`;
    await terminal(t, command)?.shows(/^0\s+exit=1/m);
  });

  test('renew without a name lists, asks, and renews after y', async (t) => {
    const { directory } = tree(t);
    const before = snapshot(directory);
    const shown = terminal(t, certsLine('renew', '--rootfs', directory));
    if (shown === undefined) return;
    const question = await shown.shows(/Renew these 10 certificates\? \[y\/N\]/);
    assert.match(question, /apiserver +ends Dec 11, 2026 00:00 UTC/);
    assert.deepEqual(changes(before, snapshot(directory), { inodes: true }), []);
    shown.type('y', 'Enter');
    await shown.shows(/Done renewing certificates[^]*exit=0/);
    assert.equal(fileChanges(before, snapshot(directory)).length, 17);
  });

  test('renew --within lists what is due, and asks nothing when nothing is', async (t) => {
    const { directory } = treeEnding(t, { apiserver: 20 });
    const command = certsLine('renew', '--within', '30d', '--rootfs', directory);
    const shown = terminal(t, command);
    if (shown === undefined) return;
    const question = await shown.shows(/Renew this certificate\? \[y\/N\]/);
    assert.deepEqual(question.match(/^ {2}\S+ +ends /gm), ['  apiserver  ends ']);
    shown.type('y', 'Enter');
    await shown.shows(/API renewed[^]*exit=0/);
    await terminal(t, command)?.shows(/^nothing is due within 30d\s+exit=0/m);
  });

  for (const [what, keys, code] of [
    ['Enter', ['Enter'], 1],
    ['n', ['n', 'Enter'], 1],
    ['Ctrl-D', ['C-d'], 1],
    ['Ctrl-C', ['C-c'], 130],
  ] as const) {
    test(`${what} as the answer renews nothing, exit ${String(code)}`, async (t) => {
      const { directory } = tree(t);
      const before = snapshot(directory);
      // The shell of the terminal would leave with Ctrl-C too.
      const shown = terminal(t, `trap : INT; ${certsLine('renew', '--rootfs', directory)}`);
      if (shown === undefined) return;
      await shown.shows(/\[y\/N\]/);
      shown.type(...keys);
      const screen = await shown.shows(new RegExp(`exit=${String(code)}`));
      assert.match(
        screen,
        code === 1
          ? /nothing was renewed[^]*: this asks nothing: kubepki certs renew all --rootfs/
          : /interrupted: nothing was changed/,
      );
      assert.deepEqual(changes(before, snapshot(directory), { inodes: true }), []);
    });
  }

  test('renew all does not ask', async (t) => {
    const { directory } = tree(t);
    await terminal(t, certsLine('renew', 'all', '--rootfs', directory))?.shows(/Done renewing[^]*exit=0/);
  });
});
