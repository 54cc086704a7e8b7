import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { programWords } from '../../../src/commands/systemd/program-words.ts';
import { quietNote } from '../../support/change-note.ts';
import { doneInProcess as done, kubepkiInProcess } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { kubepki, kubepkiBin, kubepkiCommand } from '../../support/kubepki.ts';
import { quickTree } from '../../support/node.ts';
import { plane, quickly } from '../../support/kubelet/restart.ts';
import { mayChown } from '../../support/root.ts';
import { treeEnding } from '../../support/certificates/short-lived.ts';
import { executed, understood } from '../../support/machine/systemd.ts';
import { changes, fileChanges, snapshot, temporaryDirectory } from '../../support/tree.ts';

const units = ['kubepki-renew.service', 'kubepki-renew.timer', 'kubepki-recover.service'] as const;

async function unit(name: (typeof units)[number], ...flags: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await kubepkiInProcess(['systemd', '--unit', name, ...flags]);
  assert.deepEqual([stderr, code], ['', 0]);
  return stdout;
}

/** Writes the three units as the help says. @returns their paths */
async function installed(t: TestContext, ...flags: readonly string[]): Promise<string[]> {
  const directory = temporaryDirectory(t);
  return Promise.all(
    units.map(async (name) => {
      writeFileSync(join(directory, name), await unit(name, ...flags));
      return join(directory, name);
    }),
  );
}

function setting(text: string, name: string): string {
  const values = text.split('\n').filter((line) => line.startsWith(`${name}=`));
  assert.equal(values.length, 1, `${name}: ${text}`);
  return (values[0] ?? '').slice(name.length + 1);
}

const program = [...kubepkiCommand];

function configuration(t: TestContext): string {
  const path = join(temporaryDirectory(t), 'my kubeadm.yaml');
  writeFileSync(
    path,
    'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\ncertificatesDir: /srv/k/pki\n',
  );
  return path;
}

test('what dies leaves no core, in which keys would be: with a hook, too', async () => {
  for (const flags of [[], ['--restart'], ['--deploy-hook', 'true']]) {
    for (const name of ['kubepki-renew.service', 'kubepki-recover.service'] as const) {
      assert.equal(setting(await unit(name, ...flags), 'LimitCORE'), '0');
    }
  }
});

describe('systemd takes the units as they are', () => {
  for (const flags of [
    [],
    ['--restart'],
    ['--restart', '--within', '30d', '--validity', '90d', '--keep-backups', '9', '--lock-timeout', '2m'],
    ['--restart', '--manifests-dir', '/srv/pods', '--settle', '40s', '--stop-timeout', '4m'],
    ['--cert-dir', '/srv/my pki%n/$HOME', '--kubeconfig-dir', '/srv/configs'],
    ['--rootfs', '/', '--textfile', '/var/lib/prometheus/node-exporter/kubepki.prom'],
    ['--restart', '--deploy-hook', 'systemctl reload haproxy; echo "$KUBEPKI_NAMES" 100% >>/var/log/hook'],
    ['--calendar', 'Sun *-*-* 03:00:00 Europe/Berlin', '--randomized-delay', '90m'],
  ]) {
    test(flags.join(' ') || 'without a flag', async (t) => {
      const systemdAnalyze = judge(t, 'systemd-analyze');
      if (systemdAnalyze === undefined) return;
      const { complaints, code } = understood(systemdAnalyze, await installed(t, ...flags));
      assert.deepEqual([complaints, code], ['', 0]);
    });
  }

  test('and would complain of a wrong one', async (t) => {
    const systemdAnalyze = judge(t, 'systemd-analyze');
    if (systemdAnalyze === undefined) return;
    const [path = ''] = await installed(t);
    writeFileSync(path, readFileSync(path, 'utf8').replace('ProtectSystem=strict', 'ProtectSystem=strikt'));
    assert.match(understood(systemdAnalyze, [path]).complaints, /strikt/);
  });
});

test('all three, each behind its path, when none is named', async () => {
  const { stdout } = await kubepkiInProcess(['systemd', '--restart']);
  const texts = await Promise.all(units.map((name) => unit(name, '--restart')));
  assert.equal(
    stdout,
    units.map((name, index) => `# /etc/systemd/system/${name}\n${texts[index] ?? ''}`).join('\n'),
  );
});

describe('what they run', () => {
  test('the renewal, with the flags that were given', async (t) => {
    const config = configuration(t);
    const hook = 'echo "$A" \'b\' 100% \\ ; x';
    const text = await unit(
      'kubepki-renew.service',
      ...['--within', '4w', '--restart', '--stop-timeout', '4m', '--config', config],
      ...['--textfile', '/var/lib/a b/k.prom', '--deploy-hook', hook],
    );
    assert.deepEqual(executed(setting(text, 'ExecStart')), [
      ...[...program, 'certs', 'renew', 'all', '--within', '4w', '--stop-timeout', '4m'],
      ...['--textfile', '/var/lib/a b/k.prom', '--deploy-hook', hook],
      ...['--restart', '--config', config, '--quiet'],
    ]);
  });

  test('60 days, unless something else is said: without --within it would renew every day', async () => {
    const words = executed(setting(await unit('kubepki-renew.service'), 'ExecStart'));
    // Without a restart the unit has no network, so the cluster is not asked.
    const flags = ['--within', '60d', '--offline', '--quiet'];
    assert.deepEqual(words, [...program, 'certs', 'renew', 'all', ...flags]);
  });

  test('recover, with the same directories, after each run and at boot', async (t) => {
    const flags = ['--cert-dir', '/srv/pki', '--kubeconfig-dir', '/srv', '--config', configuration(t)];
    const expected = ['certs', 'recover', '--cert-dir', '/srv/pki', '--kubeconfig-dir', '/srv', '--quiet'];
    const stop = setting(await unit('kubepki-renew.service', ...flags), 'ExecStopPost');
    assert.deepEqual(executed(stop), [...program, ...expected]);
    const boot = await unit('kubepki-recover.service', ...flags);
    assert.deepEqual(executed(setting(boot, 'ExecStart')), [...program, ...expected]);
    assert.equal(setting(boot, 'Before'), 'kubelet.service');
    assert.equal(setting(boot, 'WantedBy'), 'kubelet.service');
    assert.equal(setting(boot, 'ConditionPathIsDirectory'), '/srv/pki');
  });

  test('where only the configuration says where the certificates are, recover reads it too', async (t) => {
    const config = configuration(t);
    const text = await unit('kubepki-recover.service', '--config', config);
    assert.ok(executed(setting(text, 'ExecStart')).includes(config));
    assert.equal(setting(text, 'ConditionPathIsDirectory'), '/srv/k/pki');
    assert.equal(setting(text, 'ReadWritePaths'), '-/etc/kubernetes -/srv/k');
  });

  test('relative paths become absolute', async (t) => {
    const tree = quickTree(t);
    const { stdout } = await kubepki(['systemd', '--cert-dir', 'pki', '--unit', 'kubepki-renew.service'], {
      cwd: tree.kubeconfigDir,
    });
    assert.ok(executed(setting(stdout, 'ExecStart')).includes(tree.certDir));
  });

  test('another program with --exec', async () => {
    const text = await unit('kubepki-renew.service', '--exec', '/opt/my tools/kubepki');
    assert.equal(executed(setting(text, 'ExecStart'))[0], '/opt/my tools/kubepki');
  });

  test('what was called: a symlink stays one, a program that is one file starts itself', (t) => {
    const directory = temporaryDirectory(t);
    const link = join(directory, 'kubepki');
    symlinkSync(kubepkiBin, link);
    const { execPath } = process;
    const called = (argv: string[], PATH = ''): string[] => programWords({ execPath, argv, env: { PATH } });
    assert.deepEqual(called(['node', link]), [execPath, link]);
    assert.deepEqual(called([execPath, execPath]), [execPath]);
    assert.deepEqual(called(['bun', '/$bunfs/root/kubepki']), [execPath]);
    // node as it is called, not where that leads to with this version.
    const bin = join(directory, 'bin');
    mkdirSync(bin);
    const name = execPath.slice(execPath.lastIndexOf('/') + 1);
    symlinkSync(execPath, join(bin, name));
    assert.deepEqual(called(['node', link], `relative:${bin}`), [join(bin, name), link]);
  });
});

/** Runs a command line of a unit with the rights that the unit leaves it: its capabilities, and a disk that is read-only but for its paths. */
function runRestricted(
  text: string,
  exec: 'ExecStart' | 'ExecStopPost',
  { unshare, setpriv }: { readonly unshare: string; readonly setpriv: string },
): Promise<Outcome> {
  const capabilities = setting(text, 'CapabilityBoundingSet')
    .split(' ')
    .map((name) => `+${name.slice('CAP_'.length).toLowerCase()}`);
  const writable = setting(text, 'ReadWritePaths')
    .split(' ')
    .map((path) => path.replace(/^-/, ''));
  const script = `
    while [ "$1" != -- ]; do
      if [ -e "$1" ]; then mount --rbind "$1" "$1"; fi
      shift
    done
    shift
    mount -o remount,bind,ro / || exit 99
    if (: >"$PROBE") 2>/dev/null; then echo 'not read-only' >&2; exit 98; fi
    exec "$@"`;
  const bounds = `-all,${capabilities.join(',')}`;
  const network = text.includes('PrivateNetwork=yes') ? ['--net'] : [];
  const args = [
    ...['--mount', ...network, '--', 'sh', '-c', script, 'sh', ...writable, '--'],
    ...[setpriv, '--bounding-set', bounds, '--inh-caps', '-all', '--no-new-privs', '--'],
    ...executed(setting(text, exec)),
  ];
  const env = { PATH: '/usr/bin:/bin', PROBE: `${kubepkiBin}.probe` };
  return new Promise((done) => {
    // Not synchronously: the stand-in kubelet lives in this process.
    const child = execFile(unshare, args, { cwd: '/', env }, (_error, stdout, stderr) => {
      done({ stdout, stderr, code: child.exitCode });
    });
  });
}

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** What it takes to leave a process as little as a unit does; undefined, and the test skipped, where that is not allowed. */
function restricting(t: TestContext): { readonly unshare: string; readonly setpriv: string } | undefined {
  const unshare = judge(t, 'unshare');
  const setpriv = judge(t, 'setpriv');
  if (unshare === undefined || setpriv === undefined || !mayChown(t)) return undefined;
  if (spawnSync(unshare, ['--mount', '--net', 'true']).status === 0) return { unshare, setpriv };
  t.skip('namespaces are not allowed here');
  return undefined;
}

/** The system calls of a group of SystemCallFilter=, with those of the groups in it. */
function systemCalls(systemdAnalyze: string, group: string): readonly string[] {
  const lines = execFileSync(systemdAnalyze, ['syscall-filter', group, '--no-pager'], {
    encoding: 'utf8',
  }).split('\n');
  const members = lines.slice(1).map((line) => line.trim());
  return members.flatMap((name) => {
    if (name === '' || name.startsWith('#')) return [];
    return name.startsWith('@') ? systemCalls(systemdAnalyze, name) : [name];
  });
}

describe('run as the unit says', () => {
  test('renews what is due and nothing else, and the journal has a line of it; the second time nothing, in silence', async (t) => {
    const tree = treeEnding(t, { apiserver: 20, 'etcd-server': 50 });
    const before = snapshot(tree.directory);
    const text = await unit('kubepki-renew.service', '--within', '30d', '--rootfs', tree.directory);
    const [command = '', ...args] = executed(setting(text, 'ExecStart'));
    const run = (): readonly (string | number | null)[] => {
      const options = { cwd: '/', env: { PATH: '/usr/bin:/bin' }, encoding: 'utf8' } as const;
      const { status, stdout, stderr } = spawnSync(command, args, options);
      return [status, stdout, stderr];
    };
    const changed = { names: ['apiserver'], restart: ['kube-apiserver'] };
    const first = run();
    assert.deepEqual(first, [0, '', quietNote(t, tree, changed)]);
    const pki = 'etc/kubernetes/pki';
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      `~ ${pki}/apiserver.crt content`,
      `~ ${pki}/apiserver.key content`,
    ]);
    const after = snapshot(tree.directory);
    assert.deepEqual(run(), [0, '', '']);
    assert.deepEqual(changes(after, snapshot(tree.directory), { inodes: true }), []);
  });

  test('with the capabilities, the paths and the network that it leaves, owners kept', async (t) => {
    const tools = restricting(t);
    if (tools === undefined) return;
    const tree = treeEnding(t, { apiserver: 20 });
    const metrics = join(tree.directory, 'metrics');
    mkdirSync(metrics);
    for (const name of ['apiserver.crt', 'apiserver.key']) chownSync(join(tree.certDir, name), 1234, 1235);
    const before = snapshot(tree.directory);
    const flags = ['--rootfs', tree.directory, '--textfile', '/metrics/k.prom'];
    const text = await unit('kubepki-renew.service', '--within', '30d', ...flags);
    const run = await runRestricted(text, 'ExecStart', tools);
    const changed = { names: ['apiserver'], restart: ['kube-apiserver'] };
    assert.deepEqual(run, { stdout: '', stderr: quietNote(t, tree, changed), code: 0 });
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      '~ etc/kubernetes/pki/apiserver.crt content',
      '~ etc/kubernetes/pki/apiserver.key content',
      '+ metrics/k.prom 0644',
    ]);
    assert.deepEqual(await runRestricted(text, 'ExecStopPost', tools), { stdout: '', stderr: '', code: 0 });
  });

  test('with --restart too: the pods are other ones afterwards, their manifests the same', async (t) => {
    const tools = restricting(t);
    const node = tools && (await plane(t));
    if (tools === undefined || node === undefined) return;
    const { tree, kubelet, manifestsDir } = node;
    const before = snapshot(manifestsDir);
    const pid = kubelet.pid('kube-scheduler.yaml');
    await done(tree, 'renew', 'scheduler.conf', '--validity', '20d');
    const flags = ['--restart', ...quickly, '--within', '30d', '--rootfs', tree.directory];
    const text = await unit('kubepki-renew.service', ...flags);
    const { stdout, stderr, code } = await runRestricted(text, 'ExecStart', tools);
    assert.deepEqual([stdout, stderr, code], ['', quietNote(t, tree, { names: ['scheduler.conf'] }), 0]);
    assert.notEqual(kubelet.pid('kube-scheduler.yaml'), pid);
    assert.deepEqual(changes(before, snapshot(manifestsDir)), []);
  });

  test('without the system calls that the filter takes away', async (t) => {
    const systemdAnalyze = judge(t, 'systemd-analyze');
    const strace = judge(t, 'strace');
    if (systemdAnalyze === undefined || strace === undefined) return;
    const tree = treeEnding(t, { apiserver: 20 });
    const text = await unit('kubepki-renew.service', '--within', '30d', '--rootfs', tree.directory);
    const log = join(temporaryDirectory(t), 'calls');
    const run = (...options: readonly string[]): number | null => {
      const words = executed(setting(text, 'ExecStart'));
      return spawnSync(strace, ['-f', '-qq', '-o', log, ...options, ...words], { stdio: 'ignore' }).status;
    };
    assert.equal(run(), 0);
    const calls = readFileSync(log, 'utf8').matchAll(/^\d+ +(\w+)\(/gm);
    const allowed = new Set(systemCalls(systemdAnalyze, setting(text, 'SystemCallFilter')));
    assert.ok(allowed.has('renameat2') && !allowed.has('mount'), 'the groups were read');
    const denied = [...new Set([...calls].map(([, name = '']) => name))].filter((name) => !allowed.has(name));
    await done(tree, 'renew', 'apiserver', '--validity', '20d');
    const before = snapshot(tree.directory);
    const inject = denied.length === 0 ? [] : ['-e', `inject=${denied.join(',')}:error=EPERM`];
    assert.equal(run(...inject), 0, denied.join(' '));
    assert.equal(fileChanges(before, snapshot(tree.directory)).length, 2);
  });

  test('where the cert dir is a symlink, the state is where it leads to', async (t) => {
    const tree = quickTree(t);
    const data = join(tree.directory, 'data', 'pki');
    mkdirSync(join(tree.directory, 'data'));
    execFileSync('mv', [tree.certDir, data]);
    symlinkSync('/data/pki', tree.certDir);
    const text = await unit('kubepki-renew.service', '--rootfs', tree.directory);
    assert.equal(setting(text, 'ReadWritePaths'), `-${data} -${join(tree.directory, 'etc', 'kubernetes')}`);
    await done(tree, 'renew', 'apiserver');
    assert.ok(existsSync(join(data, '.kubepki', 'lock')));
    // On this machine /data/pki is nothing: with the path as it was given, nothing would ever be recovered at boot.
    const recover = await unit('kubepki-recover.service', '--rootfs', tree.directory);
    assert.equal(setting(recover, 'ConditionPathIsDirectory'), data);
  });
});

describe('the sandbox', () => {
  test('systemd-analyze security finds little exposure', async (t) => {
    const systemdAnalyze = judge(t, 'systemd-analyze');
    if (systemdAnalyze === undefined) return;
    const paths = (await installed(t, '--restart')).filter((path) => path.endsWith('.service'));
    const args = ['security', '--offline=true', '--threshold=30', '--no-pager', ...paths];
    const { status, stdout } = spawnSync(systemdAnalyze, args, { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });

  test('none around a deploy hook, but around recover', async () => {
    const flags = ['--deploy-hook', 'true'];
    assert.doesNotMatch(await unit('kubepki-renew.service', ...flags), /^(?:Protect|Restrict|SystemCall)/m);
    assert.match(await unit('kubepki-recover.service', ...flags), /^ProtectSystem=strict$/m);
  });

  test('the network for restarts alone', async () => {
    assert.equal(setting(await unit('kubepki-renew.service'), 'PrivateNetwork'), 'yes');
    assert.doesNotMatch(await unit('kubepki-renew.service', '--restart'), /PrivateNetwork/);
  });

  test('a /tmp of its own, unless something is there that it needs', async () => {
    const elsewhere = ['--exec', '/usr/bin/kubepki'];
    assert.match(await unit('kubepki-renew.service', ...elsewhere), /^PrivateTmp=yes$/m);
    const inTmp = await unit('kubepki-renew.service', ...elsewhere, '--cert-dir', '/tmp/pki');
    assert.doesNotMatch(inTmp, /PrivateTmp/);
  });
});

test('the timer makes up for what was missed, and every node has its own moment', async (t) => {
  const text = await unit('kubepki-renew.timer', '--randomized-delay', '1h30m');
  assert.deepEqual(
    ['OnCalendar', 'Persistent', 'RandomizedDelaySec', 'FixedRandomDelay'].map((name) => setting(text, name)),
    ['daily', 'true', '5400s', 'true'],
  );
  const systemdAnalyze = judge(t, 'systemd-analyze');
  if (systemdAnalyze === undefined) return;
  execFileSync(systemdAnalyze, ['calendar', setting(text, 'OnCalendar')], { stdio: 'ignore' });
});

for (const [what, flags, message] of [
  ['a bad duration', ['--within', 'soon'], /within.*use a duration such as 720h, 90d or 2y/],
  ['a bad time-out', ['--restart', '--stop-timeout', '1 year'], /use a duration such as 20s or 3m/],
  ['no calendar event', ['--calendar', 'daily; x'], /use a calendar event such as daily/],
  ['another line', ['--calendar', 'daily\nOnBootSec=1'], /^error: option '--calendar/],
  ['an unknown unit', ['--unit', 'kubelet.service'], /use kubepki-renew\.service, /],
  ['--settle alone', ['--settle', '30s'], /--settle goes with --restart/],
  [
    'a relative path with --rootfs',
    ['--rootfs', '/', '--cert-dir', 'pki'],
    /^error: pki: is a relative path/,
  ],
  ['a path that no unit can name', ['--cert-dir', '/srv/"pki"/x'], /cannot be written in a unit/],
] as const) {
  test(`${what} is a usage error`, async () => {
    const { stdout, stderr, code } = await kubepkiInProcess(['systemd', ...flags]);
    assert.deepEqual([stdout, code], ['', 1]);
    assert.match(stderr, message);
  });
}

describe('--output-dir', () => {
  const names = [...units].sort();

  test('writes them, readable for everybody; once more changes nothing', async (t) => {
    const directory = temporaryDirectory(t);
    const { stdout, stderr, code } = await kubepkiInProcess(['systemd', '--output-dir', directory]);
    assert.equal(code, 0);
    assert.equal(stdout, units.map((name) => `written: ${join(directory, name)}\n`).join(''));
    assert.match(stderr, /^hint: systemctl daemon-reload && systemctl enable --now kubepki-renew\.timer/);
    const after = snapshot(directory);
    assert.deepEqual(
      [...after].map(([name, { mode }]) => [name, mode]),
      names.map((name) => [name, '0644']),
    );
    for (const name of units) assert.equal(readFileSync(join(directory, name), 'utf8'), await unit(name));
    const again = await kubepkiInProcess(['systemd', '--output-dir', directory]);
    assert.deepEqual([again.code, again.stdout], [0, stdout.replaceAll('written', 'unchanged')]);
    assert.deepEqual(changes(after, snapshot(directory), { inodes: true }), []);
  });

  test('a unit that says something else stays, and nothing is written, unless --force', async (t) => {
    const directory = temporaryDirectory(t);
    const path = join(directory, 'kubepki-renew.timer');
    writeFileSync(path, '[Timer]\nOnCalendar=weekly\n');
    const before = snapshot(directory);
    const refused = await kubepkiInProcess(['systemd', '--output-dir', directory]);
    assert.deepEqual([refused.stdout, refused.code], ['', 1]);
    assert.match(
      refused.stderr,
      /kubepki-renew\.timer: is there and says something else, so nothing was written\nhint: /,
    );
    assert.deepEqual(changes(before, snapshot(directory), { inodes: true }), []);
    const forced = await kubepkiInProcess(['systemd', '--output-dir', directory, '--force']);
    assert.equal(forced.code, 0);
    assert.equal(readFileSync(path, 'utf8'), await unit('kubepki-renew.timer'));
  });

  test('a masked unit stays masked, also with --force', async (t) => {
    const directory = temporaryDirectory(t);
    symlinkSync('/dev/null', join(directory, 'kubepki-renew.timer'));
    const before = snapshot(directory);
    const { stderr, code } = await kubepkiInProcess(['systemd', '--output-dir', directory, '--force']);
    assert.equal(code, 1);
    assert.match(stderr, /kubepki-renew\.timer: is a symbolic link, and is not replaced/);
    assert.deepEqual(changes(before, snapshot(directory), { inodes: true }), []);
  });

  test('a directory that is not there is an error', async (t) => {
    const directory = join(temporaryDirectory(t), 'nowhere');
    const { stderr, code } = await kubepkiInProcess(['systemd', '--output-dir', directory]);
    assert.equal(code, 1);
    assert.match(stderr, /^error: \S*nowhere: no such/);
  });
});
