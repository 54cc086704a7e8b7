/** dpkg installs, upgrades, removes and purges the package on a system with a control plane. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from '../support/judge.ts';
import { changes } from '../support/tree.ts';
import { deb, executable, version } from './built.ts';
import { olderPackage } from './older.ts';
import { enabledLinks as links, mayInstall, System } from './system.ts';

test('dpkg: the state, /etc/kubernetes and what the administrator has set stay', (t) => {
  if (judge(t, 'dpkg') === undefined || !mayInstall(t)) return;
  const system = new System(t);
  const before = system.control();
  assert.ok([...before.keys()].some((path) => path.startsWith('pki/.kubepki/backups/')));
  const named = (): string =>
    system.inside('sh', '-c', 'find /etc /usr /var/lib -name "*kubepki*" -not -path "/etc/kubernetes/*"');
  const namedBefore = named();
  olderPackage(t, 'deb', system.packages);
  copyFileSync(deb, join(system.packages, 'kubepki.deb'));
  const untouched = (): void => {
    assert.deepEqual(changes(before, system.control(), { inodes: true }), []);
  };

  // Nothing is enabled and nothing started.
  system.inside('dpkg', '--install', '/srv/older.deb');
  assert.deepEqual(system.systemctlCalls(), ['--system daemon-reload (with kubepki)']);
  for (const link of links) assert.ok(!system.has(`/etc/systemd/system/${link}`), link);
  assert.equal(system.inside('kubepki'), '0.0.1\n');
  untouched();

  const edited = system.administer();

  // What is enabled stays so, and the file is the administrator's.
  system.inside('dpkg', '--install', '/srv/kubepki.deb');
  assert.deepEqual(changing(system.systemctlCalls()), [
    '--system daemon-reload (with kubepki)',
    'try-restart kubepki-renew.timer (with kubepki)',
  ]);
  for (const link of links) assert.ok(system.has(`/etc/systemd/system/${link}`), link);
  assert.equal(system.read('/etc/default/kubepki').toString(), edited);
  assert.equal(system.inside('kubepki', 'version', '-o', 'short'), `${version}\n`);
  assert.ok(readFileSync(executable).equals(system.read('/usr/bin/kubepki')));
  assert.match(system.inside('dpkg', '--status', 'kubepki'), /^Status: install ok installed$/m);
  assert.equal(
    system.inside('sh', '-c', 'dpkg --verify kubepki || true'),
    '??5?????? c /etc/default/kubepki\n',
  );
  assert.match(system.inside('kubepki', 'certs', 'history'), /apiserver/);
  untouched();

  // A renewal that runs is stopped while there is a kubepki to take back what it has begun.
  system.inside('dpkg', '--remove', 'kubepki');
  assert.deepEqual(changing(system.systemctlCalls()), [
    'stop kubepki-renew.timer kubepki-renew.service kubepki-recover.service (with kubepki)',
    '--system daemon-reload (without kubepki)',
  ]);
  assert.ok(!system.has('/usr/bin/kubepki'));
  assert.equal(system.read('/etc/default/kubepki').toString(), edited);
  untouched();

  system.inside('dpkg', '--purge', 'kubepki');
  assert.ok(!system.has('/etc/default/kubepki'));
  for (const link of links) assert.ok(!system.has(`/etc/systemd/system/${link}`), link);
  assert.equal(named(), namedBefore);
  untouched();
});

/** Without those that only ask. */
function changing(calls: readonly string[]): readonly string[] {
  return calls.filter((call) => !/is-enabled|is-active/.test(call));
}
