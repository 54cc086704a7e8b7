import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { certs, done } from '../../support/node.ts';
import { certsLine, terminal } from '../../support/screen.ts';
import { copyFixture } from '../../support/tree.ts';

const columns = 400;

test('on a terminal, what has expired ends with what to do; stdout has the table alone', async (t) => {
  const tree = copyFixture(t, 'expired-leaf');
  const line = certsLine('check-expiration', '--offline', '--rootfs', tree.directory);
  const shown = terminal(t, `${line} >'${join(tree.directory, 'table')}'`, { columns });
  if (shown === undefined) return;
  const command = `kubepki certs renew admin.conf apiserver --restart --offline --rootfs ${tree.directory}`;
  const screen = await shown.shows(/exit=0/);
  assert.match(screen, /hint\S*: to renew what has expired: /);
  assert.ok(screen.includes(`: ${command}\nexit=0`), screen);
});

test('a CA that ends, or has ended, has its own next step', async (t) => {
  const tree = copyFixture(t, 'ca-expiring');
  const line = certsLine('check-expiration', '--offline', '--rootfs', tree.directory);
  const shown = terminal(t, `${line} >'${join(tree.directory, 'table')}'`, { columns });
  if (shown === undefined) return;
  const screen = await shown.shows(/exit=0/);
  assert.match(
    screen,
    /hint\S*: the CA ca (?:ends on 2027-03-01T00:00:00Z|has expired): renew it with its key, /,
  );
  assert.ok(screen.includes(`: kubepki ca renew ca --rootfs ${tree.directory}\n`), screen);
  assert.doesNotMatch(screen, /the CA etcd-ca/);
});

test('in a log, beside a document, and as of another moment there is no advice', async (t) => {
  const tree = copyFixture(t, 'expired-leaf');
  assert.equal((await done(tree, 'check-expiration')).stderr, '');
  assert.doesNotMatch((await certs(tree, 'check-expiration', '--within', '1d')).stderr, /hint/);
  const flags = ['--rootfs', tree.directory];
  const json = certsLine('check-expiration', '-o', 'json', ...flags);
  const later = certsLine('check-expiration', '--at', '2030-01-01T00:00:00Z', ...flags);
  const shown = terminal(t, `${json}; ${later}`, { columns });
  assert.doesNotMatch((await shown?.wrote(/exit=0/)) ?? '', /hint/);
});
