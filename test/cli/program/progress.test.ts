/* eslint-disable no-control-regex -- escape sequences are what is looked for */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { holdLock, lockFile } from '../../support/machine/lock-holder.ts';
import { certs, quickTree } from '../../support/node.ts';
import { certsLine, terminal } from '../../support/screen.ts';
import { changes, snapshot, temporaryDirectory } from '../../support/tree.ts';

const waiting = /waiting for another run to end \((\d+)s\)/g;
/** What a progress line is drawn with: columns, erased lines, a hidden cursor, output held together. */
const drawing = /\u001b\[\??[\d;]*[A-HJKhl]/;

/** The seconds that a progress line has shown, in order. */
function seconds(bytes: string): number[] {
  return [...bytes.matchAll(waiting)].map(([, shown]) => Number(shown));
}

describe('progress on a terminal', () => {
  test('from the first second on, with the time, counting by itself; gone when it is done', async (t) => {
    const copy = quickTree(t);
    const holder = await holdLock(t, lockFile(copy));
    if (holder === undefined) return;
    const line = certsLine('renew', 'apiserver', '--rootfs', copy.directory, '--lock-timeout', '5m');
    const shown = terminal(t, line);
    if (shown === undefined) return;
    const screen = await shown.shows(/waiting for another run to end \(\d+s\)/);
    assert.match(screen, /\u001b\[36m.\u001b\[39m waiting/, 'coloured');
    assert.ok(shown.cursorIsVisible(), 'whatever kills it now, the cursor is there');
    await shown.wrote(/to end \(([1-9]\d*)s\)[^]*to end \((?!\1s)\d+s\)/);
    holder.kill();
    const after = await shown.shows(/exit=0/);
    assert.doesNotMatch(after, /waiting|generating/);
    assert.match(
      after,
      /^\s*certificate for serving the Kubernetes API renewed\n.*note.*: renewed 1 certificate, .*\n.*note.*: restart .*\n.*hint.*: kubepki restart .*\nexit=0/,
    );
    assert.ok(shown.cursorIsVisible());
    const times = seconds(await shown.wrote(/exit=0/));
    assert.ok((times[0] ?? 0) >= 1, 'not before a second has passed');
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
  });

  test('keys that take their time are counted', async (t) => {
    const directory = temporaryDirectory(t);
    const configuration = `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.10}
nodeRegistration: {name: control-plane-1}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
encryptionAlgorithm: RSA-4096
`;
    writeFileSync(join(directory, 'kubeadm.yaml'), configuration);
    const line = certsLine('generate', '--config', '/kubeadm.yaml', '--rootfs', directory);
    // One thread, so that it is long on every machine.
    const shown = terminal(t, `export UV_THREADPOOL_SIZE=1; ${line}`);
    if (shown === undefined) return;
    const bytes = await shown.wrote(/exit=0/);
    assert.match(bytes, /generating keys: \d+ of 1\d \(\d+s\)/);
    assert.match(bytes, /generating keys: [1-9]\d* of 1\d \([1-9]\d*s\)/);
    assert.doesNotMatch(await shown.shows(/exit=0/), /generating keys/);
  });

  test('nothing is drawn for what is quick', async (t) => {
    const copy = quickTree(t);
    const rootfs = ['--rootfs', copy.directory];
    const commands = [
      certsLine('check-expiration', ...rootfs),
      certsLine('renew', 'all', ...rootfs),
      certsLine('rollback', ...rootfs),
      certsLine('history', ...rootfs),
    ];
    const shown = terminal(t, commands.join(' && '));
    if (shown === undefined) return;
    const bytes = await shown.wrote(/exit=\d/);
    assert.match(bytes, /exit=0/);
    assert.doesNotMatch(bytes, drawing);
    assert.doesNotMatch(bytes, /generating|waiting/);
  });

  test('Ctrl-C takes it away, and leaves the cursor', async (t) => {
    const copy = quickTree(t);
    if ((await holdLock(t, lockFile(copy))) === undefined) return;
    const before = snapshot(copy.directory);
    const line = certsLine('renew', 'all', '--rootfs', copy.directory, '--lock-timeout', '5m');
    const shown = terminal(t, `trap : INT; ${line}`);
    if (shown === undefined) return;
    await shown.shows(/waiting for another run to end \(\d+s\)/);
    shown.type('C-c');
    const after = await shown.shows(/exit=130/);
    assert.match(after, /interrupted: nothing was changed/);
    assert.doesNotMatch(after, /waiting/);
    assert.ok(shown.cursorIsVisible());
    assert.deepEqual(changes(before, snapshot(copy.directory), { inodes: true }), []);
  });

  for (const [what, prefix, flag] of [
    ['NO_COLOR', 'NO_COLOR=1 ', []],
    ['--no-color', '', ['--no-color']],
    ['CI, which is no reason to let it stay,', 'CI=1 NO_COLOR=1 ', []],
  ] as const) {
    test(`${what} leaves it without colour`, async (t) => {
      const copy = quickTree(t);
      const holder = await holdLock(t, lockFile(copy));
      if (holder === undefined) return;
      const args = ['renew', 'apiserver', '--rootfs', copy.directory, '--lock-timeout', '5m', ...flag];
      const shown = terminal(t, prefix + certsLine(...args));
      if (shown === undefined) return;
      await shown.shows(/waiting for another run to end \(\d+s\)/);
      holder.kill();
      assert.doesNotMatch(await shown.wrote(/exit=0/), /\u001b\[[\d;]*m/);
      assert.doesNotMatch(await shown.shows(/exit=0/), /waiting/);
    });
  }

  for (const [what, prefix, flag] of [
    ['TERM=dumb', 'TERM=dumb ', []],
    ['--quiet', '', ['--quiet']],
  ] as const) {
    test(`there is none with ${what}`, async (t) => {
      const copy = quickTree(t);
      if ((await holdLock(t, lockFile(copy))) === undefined) return;
      const args = ['renew', 'apiserver', '--rootfs', copy.directory, '--lock-timeout', '2500ms', ...flag];
      const shown = terminal(t, prefix + certsLine(...args));
      if (shown === undefined) return;
      const bytes = await shown.wrote(/exit=\d/);
      assert.match(bytes, /another run is at work[^]*exit=7/);
      assert.doesNotMatch(bytes, /waiting for/);
      assert.doesNotMatch(bytes, drawing);
    });
  }

  for (const [what, size] of [
    ['without a size, as `script` makes one,', 'columns 0 rows 0'],
    ['of one column', 'columns 1 rows 1'],
  ] as const) {
    test(`a terminal ${what} gets none, and the work goes on`, async (t) => {
      const copy = quickTree(t);
      if ((await holdLock(t, lockFile(copy))) === undefined) return;
      const line = certsLine('renew', 'apiserver', '--rootfs', copy.directory, '--lock-timeout', '2500ms');
      const shown = terminal(t, `stty ${size}; ${line}`);
      if (shown === undefined) return;
      const bytes = await shown.wrote(/exit=\d/);
      assert.match(bytes, /another run is at work[^]*exit=7/);
      assert.doesNotMatch(bytes, drawing);
    });
  }

  test('a terminal that loses its size meanwhile: the line goes, and Ctrl-C is heard', async (t) => {
    const copy = quickTree(t);
    if ((await holdLock(t, lockFile(copy))) === undefined) return;
    const line = certsLine('renew', 'all', '--rootfs', copy.directory, '--lock-timeout', '5m');
    const shown = terminal(t, `trap : INT; ${line}`);
    if (shown === undefined) return;
    await shown.shows(/waiting for another run to end \(\d+s\)/);
    shown.forgetSize();
    await shown.shows(/^\s*$/);
    shown.type('C-c');
    assert.match(await shown.shows(/exit=130/), /interrupted: nothing was changed/);
  });

  test('a terminal that becomes narrower and wider: it fits again, and leaves nothing behind', async (t) => {
    const copy = quickTree(t);
    const holder = await holdLock(t, lockFile(copy));
    if (holder === undefined) return;
    const line = certsLine('renew', 'apiserver', '--rootfs', copy.directory, '--lock-timeout', '5m');
    const shown = terminal(t, `NO_COLOR=1 ${line}`);
    if (shown === undefined) return;
    await shown.shows(/^\s*\S waiting for another run to end \(\d+s\)\s*$/);
    shown.resize(20);
    await shown.shows(/^\s*\S waiting fo?r? *\(\w+\)\s*$/);
    shown.resize(140);
    await shown.shows(/^\s*\S waiting for another run to end \(\d+s\)\s*$/);
    holder.kill();
    assert.doesNotMatch(await shown.shows(/exit=0/), /waiting/);
  });

  test('what is said meanwhile stands above it, whole', async (t) => {
    const program = fileURLToPath(new URL('../../support/long-work.ts', import.meta.url));
    const shown = terminal(t, `stty -echo; node --import tsx '${program}'`);
    if (shown === undefined) return;
    await shown.shows(/working \(\d+s\)/);
    shown.type('Enter');
    await shown.shows(/it broke[^]*still working \(\d+s\)/);
    shown.type('Enter');
    const after = (await shown.shows(/exit=0/)).replaceAll(/\u001b\[[\d;]*m/g, '').trim();
    const said = 'warning: look here\nnote: by the way\nerror: it broke\nhint: mend it\nthe result\nexit=0';
    assert.equal(after, said);
  });
});

test('a log gets no progress and no escape sequence', async (t) => {
  const copy = quickTree(t);
  if ((await holdLock(t, lockFile(copy))) === undefined) return;
  const outcome = await certs(copy, 'renew', 'all', '--lock-timeout', '2500ms');
  assert.equal(outcome.code, 7);
  assert.match(outcome.stderr, /^error: another run is at work on these certificates\nhint: .*\n$/);
  assert.doesNotMatch(outcome.stderr, /\u001b/);
});
