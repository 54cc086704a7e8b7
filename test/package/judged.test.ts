/** What the distributions' own programs say of the packages. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packagedUnits } from '../../bin/package/units.mts';
import { judge } from '../support/judge.ts';
import { temporaryDirectory } from '../support/tree.ts';
import { deb, executable, packages, root, rpm } from './built.ts';

test('lintian has no error and no warning but those with a reason', (t) => {
  const lintian = judge(t, 'lintian');
  if (lintian === undefined) return;
  const { stdout, status } = spawnSync(
    lintian,
    ['--allow-root', '--profile', 'debian', '--fail-on', 'error,warning', deb],
    {
      encoding: 'utf8',
    },
  );
  assert.equal(stdout, '');
  assert.equal(status, 0);
});

test('rpmlint has no error and no warning but those with a reason', (t) => {
  const rpmlint = judge(t, 'rpmlint');
  if (rpmlint === undefined) return;
  const { stdout, status } = spawnSync(
    rpmlint,
    ['--config', join(root, 'bin/package/rpm/rpmlint.toml'), rpm],
    {
      encoding: 'utf8',
    },
  );
  assert.match(stdout, / 1 packages and 0 specfiles checked; 0 errors, 0 warnings, /);
  assert.equal(status, 0);
});

test('the packages of every machine hold the same, and nothing but the executable differs', () => {
  const list = (file: string): string[] =>
    execFileSync('bsdtar', ['-tvf', '-'], {
      input: execFileSync('dpkg-deb', ['--fsys-tarfile', file], { maxBuffer: 2 ** 28 }),
      encoding: 'utf8',
    })
      .split('\n')
      .filter((line) => !line.endsWith('/usr/bin/kubepki'));
  const [first, ...others] = packages('.deb').map(list);
  assert.ok((first?.length ?? 0) > 25);
  for (const other of others) assert.deepEqual(other, first);
});

test('the units are those of kubepki systemd but for the flags, and systemd takes them', (t) => {
  const analyze = judge(t, 'systemd-analyze');
  if (analyze === undefined) return;
  const unpacked = temporaryDirectory(t);
  execFileSync('dpkg-deb', ['--extract', deb, unpacked]);
  const directory = join(unpacked, 'usr/lib/systemd/system');
  const flags = ['--restart', '--textfile', '/var/lib/prometheus/node-exporter/kubepki.prom'];
  for (const [name, text] of packagedUnits()) {
    assert.equal(readFileSync(join(directory, name), 'utf8'), text);
    const printed = execFileSync(
      executable,
      ['systemd', ...flags, '--exec', '/usr/bin/kubepki', '--unit', name],
      {
        encoding: 'utf8',
      },
    );
    const settings = text.split('\n').filter((line) => !/^Environment(?:File)?=/.test(line));
    assert.deepEqual(
      settings.map((line) => line.replace(' $KUBEPKI_RENEW_FLAGS ', ' ')),
      printed.split('\n').map((line) => line.replace(/( certs renew all) .* --quiet$/, '$1 --quiet')),
      name,
    );
  }
  // It looks for the program, and for the unit that wants ours.
  mkdirSync(join(unpacked, 'etc/systemd/system'), { recursive: true });
  const { stdout, stderr, status } = spawnSync(
    analyze,
    ['verify', '--man=no', '--recursive-errors=no', `--root=${unpacked}`, ...packagedUnits().keys()],
    { encoding: 'utf8' },
  );
  assert.equal(`${stdout}${stderr}`, '');
  assert.equal(status, 0);
});
