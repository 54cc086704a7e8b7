/* eslint-disable no-control-regex -- escape sequences are what is looked for */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { servingBed } from '../../support/cluster/serving-bed.ts';
import { kubepki, kubepkiCommand } from '../../support/kubepki.ts';
import { done, quickTree } from '../../support/node.ts';
import { certsLine, terminal } from '../../support/screen.ts';
import { copyFixture, temporaryDirectory } from '../../support/tree.ts';

const at = ['--at', '2026-12-09T12:00:00Z'];
const kubeadmTitles =
  'CERTIFICATE                EXPIRES                  RESIDUAL TIME   CERTIFICATE AUTHORITY';

suite('tables on a terminal', () => {
  test('check-expiration: two tables that fit, and the sum', async (t) => {
    const { directory } = copyFixture(t, 'expiring-soon');
    const line = certsLine('check-expiration', '--rootfs', directory, ...at);
    const screen = await terminal(t, line, { columns: 80 })?.shows(/exit=0/);
    if (screen === undefined) return;
    assert.match(screen, /\u001b\[1mCERTIFICATE\u001b/, 'the header is bold');
    const lines = stripVTControlCharacters(screen).split('\n');
    assert.ok(
      lines.includes('CERTIFICATE               EXPIRES       RESIDUAL TIME   AUTHORITY       EXTERNAL'),
    );
    assert.ok(lines.includes('scheduler.conf            Nov 30, 2026  expired 8d ago  ca              no'));
    assert.ok(lines.some((one) => /^CERTIFICATE AUTHORITY +EXPIRES +RESIDUAL TIME/.test(one)));
    assert.ok(lines.includes('2 of 13 certificates have expired; next: apiserver in 36h'));
  });

  test('more columns where there is room', async (t) => {
    const { directory } = copyFixture(t, 'expiring-soon');
    const line = certsLine('check-expiration', '--rootfs', directory, ...at);
    const screen = await terminal(t, line, { columns: 120 })?.shows(/exit=0/);
    const wide = await terminal(t, line, { columns: 220 })?.shows(/exit=0/);
    if (screen === undefined || wide === undefined) return;
    assert.match(
      stripVTControlCharacters(screen),
      /RESIDUAL TIME {3}CERTIFICATE AUTHORITY {2}EXTERNALLY MANAGED\n/,
    );
    assert.match(stripVTControlCharacters(wide), /EXTERNALLY MANAGED {2}FILE\n[^]*\/pki\/apiserver.crt\n/);
  });

  test('check-expiration of several trees', async (t) => {
    const { directory } = copyFixture(t, 'expiring-soon');
    const line = certsLine('check-expiration', ...['--rootfs', directory, '--rootfs', '/nowhere'], ...at);
    const screen = await terminal(t, line, { columns: 80 })?.shows(/exit=1/);
    if (screen === undefined) return;
    const lines = stripVTControlCharacters(screen).split('\n');
    assert.ok(lines.some((one) => /^NODE +CERTIFICATE +EXPIRES +RESIDUAL TIME$/.test(one)));
    assert.ok(lines.some((one) => /^\/nowhere +unreadable$/.test(one)));
    assert.match(
      stripVTControlCharacters(screen),
      /^2 of 13 certificates have expired; 1 of 2 nodes cannot be read; next: apiserver/m,
    );
  });

  test('history, and the dry runs of renew and rollback', async (t) => {
    const tree = quickTree(t);
    await done(tree, 'renew', 'apiserver');
    const at80 = (...args: string[]): Promise<string> | undefined =>
      terminal(t, certsLine(...args, '--rootfs', tree.directory), { columns: 80 })?.shows(/exit=0/);
    const history = await at80('history');
    if (history === undefined) return;
    assert.match(
      stripVTControlCharacters(history),
      /^ID +NUMBER +USER +COMMAND +CERTIFICATES\n[-\dTZ.a-f]+ +1 +root +kubepki certs renew +apiserver\n[^]*\n1 backup\n/m,
    );
    const table = /^CERTIFICATE +EXPIRES +WOULD EXPIRE.*\napiserver +\w{3} \d\d, \d{4} [^]*\nFILE\n/m;
    const sum = '1 certificate and 2 files would change; nothing was changed (--dry-run)';
    for (const args of [
      ['renew', 'apiserver', '--dry-run'],
      ['rollback', '--dry-run'],
    ]) {
      const screen = stripVTControlCharacters((await at80(...args)) ?? '');
      assert.match(screen, table);
      assert.ok(screen.includes(sum));
    }
  });

  test('csr list', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('csr-1');
    const command = [...kubepkiCommand, 'csr', 'list', '--rootfs', bed.tree.directory];
    const screen = await terminal(t, command.join(' '), { columns: 80 })?.shows(/exit=0/);
    if (screen === undefined) return;
    assert.match(
      stripVTControlCharacters(screen),
      /^NAME +AGE +REQUESTOR +CONDITION +REQUESTED NAMES\ncsr-1 +\d+[a-z]\S* +system:node:node-1 +Pending +DNS:node-1,\n +DNS:node-1.example.internal,\n/m,
    );
    assert.match(stripVTControlCharacters(screen), /^1 signing request, 1 pending$/m);
  });

  for (const [what, prefix] of [
    ['TERM=dumb', 'TERM=dumb '],
    ['a terminal that knows no width', 'stty columns 0; '],
  ] as const) {
    test(`${what}: kubeadm's text, without colour`, async (t) => {
      const { directory } = copyFixture(t, 'expiring-soon');
      const command = prefix + certsLine('check-expiration', '--rootfs', directory, ...at);
      const screen = await terminal(t, command)?.shows(/exit=0/);
      if (screen === undefined) return;
      assert.ok(screen.includes(kubeadmTitles));
      assert.doesNotMatch(screen, /\u001b\[[13]/);
    });
  }

  test('NO_COLOR takes the colour and nothing else', async (t) => {
    const { directory } = copyFixture(t, 'expiring-soon');
    const line = certsLine('check-expiration', '--rootfs', directory, ...at);
    const shown = terminal(t, `NO_COLOR=1 ${line}`, { columns: 80 });
    const screen = await shown?.shows(/exit=0/);
    if (screen === undefined) return;
    assert.match(screen, /^scheduler.conf +Nov 30, 2026 {2}expired 8d ago {2}ca +no$/m);
  });

  test('a file gets what a pipe gets, byte for byte', async (t) => {
    const { directory } = copyFixture(t, 'expiring-soon');
    const args = ['check-expiration', '--rootfs', directory, ...at];
    const file = join(temporaryDirectory(t), 'table');
    const shown = terminal(t, `${certsLine(...args)} >'${file}'`);
    if (shown === undefined) return;
    await shown.shows(/exit=0/);
    const { stdout } = await kubepki(['certs', ...args]);
    assert.equal(readFileSync(file, 'utf8'), stdout);
    assert.ok(stdout.startsWith(kubeadmTitles));
  });
});
