/** rpm installs, upgrades and erases the package on a system with a control plane. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from '../support/judge.ts';
import { changes } from '../support/tree.ts';
import { rpm, version } from './built.ts';
import { olderPackage } from './older.ts';
import { enabledLinks as links, mayInstall, System } from './system.ts';

test('rpm: the state, /etc/kubernetes and what the administrator has set stay', (t) => {
  if (judge(t, 'rpm') === undefined || !mayInstall(t)) return;
  const system = new System(t);
  const before = system.control();
  olderPackage(t, 'rpm', system.packages);
  copyFileSync(rpm, join(system.packages, 'kubepki.rpm'));
  const untouched = (): void => {
    assert.deepEqual(changes(before, system.control(), { inodes: true }), []);
  };
  // Debian's rpm knows of none of the packages that are here, and wants to be asked twice.
  const run = (...args: readonly string[]): string =>
    system.outside(
      'sh',
      '-c',
      'exec rpm --root "$PWD" --dbpath /var/lib/rpm --force-debian "$@"',
      'rpm',
      ...args,
    );

  run('--install', '--nodeps', 'srv/older.rpm');
  assert.deepEqual(system.systemctlCalls(), ['daemon-reload (with kubepki)']);
  for (const link of links) assert.ok(!system.has(`/etc/systemd/system/${link}`), link);
  assert.equal(system.inside('kubepki'), '0.0.1\n');
  untouched();

  const edited = system.administer();

  run('--upgrade', '--nodeps', 'srv/kubepki.rpm');
  assert.deepEqual(system.systemctlCalls(), [
    'daemon-reload (with kubepki)',
    'try-restart kubepki-renew.timer (with kubepki)',
    'daemon-reload (with kubepki)',
  ]);
  for (const link of links) assert.ok(system.has(`/etc/systemd/system/${link}`), link);
  assert.equal(system.read('/etc/default/kubepki').toString(), edited);
  assert.equal(system.inside('kubepki', 'version', '-o', 'short'), `${version}\n`);
  assert.match(run('--query', 'kubepki'), new RegExp(`^kubepki-${version.replaceAll('.', '\\.')}-1\\.`));
  const verify = 'rpm --root "$PWD" --dbpath /var/lib/rpm --verify --nodeps kubepki || true';
  const verified = system.outside('sh', '-c', verify);
  // Size, digest and time of the file that was edited, and nothing else.
  assert.equal(verified, 'S.5....T.  c /etc/default/kubepki\n');
  untouched();

  run('--erase', 'kubepki');
  assert.deepEqual(system.systemctlCalls(), [
    'stop kubepki-renew.timer kubepki-renew.service kubepki-recover.service (with kubepki)',
    '--no-reload disable kubepki-renew.timer kubepki-recover.service (with kubepki)',
    'daemon-reload (without kubepki)',
  ]);
  for (const link of links) assert.ok(!system.has(`/etc/systemd/system/${link}`), link);
  assert.ok(!system.has('/usr/bin/kubepki'));
  assert.equal(system.read('/etc/default/kubepki.rpmsave').toString(), edited);
  untouched();
});

test('what it requires: the C library of 2012, and the two programs that are called', (t) => {
  const program = judge(t, 'rpm');
  if (program === undefined) return;
  const required = execFileSync(program, ['--query', '--requires', '--package', rpm], {
    encoding: 'utf8',
  }).split('\n');
  for (const name of ['/usr/bin/flock', '/usr/bin/getent']) assert.ok(required.includes(name), name);
  const glibc = required
    .map((line) => /GLIBC_2\.(\d+)/.exec(line)?.[1])
    .filter((minor) => minor !== undefined);
  assert.equal(Math.max(...glibc.map(Number)), 17);
  const flags = ['--query', '--queryformat', '[%{FILEFLAGS:fflags} %{FILENAMES}\n]', '--package', rpm];
  assert.match(execFileSync(program, flags, { encoding: 'utf8' }), /^cn \/etc\/default\/kubepki$/m);
});
