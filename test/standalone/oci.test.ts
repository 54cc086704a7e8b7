/** The images of bin/oci/build.mjs: built twice, read by skopeo, and run as contrib/kubernetes/cronjob.yaml has them run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { requireSound, requireTidy } from '../faults/invariants.ts';
import { judge, type Skippable } from '../support/judge.ts';
import { holdLock, lockFile } from '../support/machine/lock-holder.ts';
import { mountsFor, type Mounts } from '../support/machine/mounts.ts';
import { runProgram, type ProgramOutcome } from '../support/program.ts';
import { changes, copyFixture, fileChanges, snapshot, temporaryDirectory } from '../support/tree.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const scratch = temporaryDirectory({ after });
const native = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** Through a shell, for its umask. @returns what it has printed: a digest and a tag for each image */
function build(name: string, umask: string, ...machines: string[]): string {
  const line = `umask ${umask}; exec "$@"`;
  const words = [process.execPath, join(root, 'bin/oci/build.mjs'), '--output', join(scratch, name)];
  return execFileSync('sh', ['-c', line, 'sh', ...words, ...machines], {
    cwd: '/',
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], SOURCE_DATE_EPOCH: '1700000000' },
  });
}

let printed: string | undefined;

/** @returns the layout of both, and what builds and unpacks it; undefined: the test is skipped */
function layout(
  t: Skippable,
): { umoci: string; digests: string; tagged: (machine: string) => string } | undefined {
  const umoci = judge(t, 'umoci');
  if (umoci === undefined) return undefined;
  printed ??= build('oci', '022');
  const tagged = (machine: string): string => `${join(scratch, 'oci')}:${packageJson.version}-${machine}`;
  return { umoci, digests: printed, tagged };
}

/** @returns the bundle: a root and how to start what is in it; unpacked once */
function unpacked(t: Skippable, machine: string): string | undefined {
  const built = layout(t);
  if (built === undefined) return undefined;
  const bundle = join(scratch, `bundle-${machine}`);
  const rootless = process.getuid?.() === 0 ? [] : ['--rootless'];
  if (!existsSync(bundle))
    execFileSync(built.umoci, ['unpack', ...rootless, '--image', built.tagged(machine), bundle]);
  return bundle;
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly volumeMounts: readonly { name: string; mountPath: string; readOnly?: boolean }[];
}

interface CronJob {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly jobTemplate: {
      readonly spec: { readonly template: { readonly spec: { readonly containers: readonly [Container] } } };
    };
  };
}

const cronJobs = parseAllDocuments(readFileSync(join(root, 'contrib/kubernetes/cronjob.yaml'), 'utf8')).map(
  (document) => document.toJS() as CronJob,
);

function containerOf(name: string): Container {
  const found = cronJobs.find(({ metadata }) => metadata.name === name);
  assert.ok(found, name);
  return found.spec.jobTemplate.spec.template.spec.containers[0];
}

test('the same commit gives the same image again, whatever the umask is', (t) => {
  const built = layout(t);
  if (built === undefined) return;
  const again = build('again', '077', native);
  assert.match(again, /^sha256:[0-9a-f]{64} {2}\S+\n$/);
  assert.ok(built.digests.includes(again), `${built.digests} and ${again}`);
});

test('skopeo reads what the image says of itself', (t) => {
  const built = layout(t);
  const skopeo = judge(t, 'skopeo');
  if (built === undefined || skopeo === undefined) return;
  for (const machine of ['amd64', 'arm64']) {
    const said = execFileSync(skopeo, ['inspect', '--config', `oci:${built.tagged(machine)}`], {
      encoding: 'utf8',
    });
    const { created, architecture, os, config } = JSON.parse(said) as Record<string, unknown>;
    assert.deepEqual([created, architecture, os], ['2023-11-14T22:13:20Z', machine, 'linux']);
    const { Labels: labels, ...rest } = config as { Labels: Record<string, string> };
    assert.deepEqual(rest, {
      User: '0:0',
      Env: ['PATH=/usr/bin'],
      Entrypoint: ['/usr/bin/kubepki'],
      WorkingDir: '/',
    });
    assert.equal(labels['org.opencontainers.image.version'], packageJson.version);
    assert.match(
      labels['kubepki.debian-packages'] ?? '',
      /^base-files=12\S+ libc6=2\S+ libc-bin=2\S+ util-linux=2\S+$/,
    );
  }
});

test('it holds the executable, what that starts, and whose all this is; no shell', (t) => {
  const bundle = unpacked(t, native);
  if (bundle === undefined) return;
  const rootfs = join(bundle, 'rootfs');
  const files = snapshot(rootfs);
  assert.deepEqual(readdirSync(join(rootfs, 'usr/bin')).sort(), ['flock', 'getent', 'kubepki']);
  for (const [path, { type, mode }] of files) {
    if (type === 'link') continue;
    assert.ok(['0755', '0644'].includes(mode), `${path}: ${mode}`);
  }
  const executable = readFileSync(join(root, `dist/kubepki-linux-${native === 'amd64' ? 'x64' : 'arm64'}`));
  assert.ok(executable.equals(readFileSync(join(rootfs, 'usr/bin/kubepki'))));
  for (const name of ['libc6', 'libc-bin', 'util-linux', 'kubepki']) {
    assert.ok(statSync(join(rootfs, 'usr/share/doc', name, 'copyright')).size > 1000, name);
  }
  assert.match(readFileSync(join(rootfs, 'usr/share/common-licenses/LGPL-2.1'), 'utf8'), /LESSER GENERAL/);
  assert.match(readFileSync(join(rootfs, 'usr/lib/os-release'), 'utf8'), /^ID=debian$/m);
  assert.match(
    readFileSync(join(rootfs, 'var/lib/dpkg/status.d/libc6'), 'utf8'),
    /^Package: libc6\n[^]*^Version: 2/m,
  );
});

test('kubectl knows every field of the CronJobs', (t) => {
  const kubectl = judge(t, 'kubectl');
  if (kubectl === undefined) return;
  assert.deepEqual(
    cronJobs.map(({ metadata }) => metadata.name),
    ['kubepki-check-cp-1', 'kubepki-renew-cp-1'],
  );
  for (const { metadata, spec } of cronJobs) {
    const { jobTemplate, ...schedule } = spec;
    const known = ['schedule', 'suspend', 'startingDeadlineSeconds', 'concurrencyPolicy'];
    assert.deepEqual(
      Object.keys(schedule).filter((name) => !known.includes(name)),
      [],
    );
    // As a Job, which every kubectl knows. It reads it into its own types and writes these: a field that is none of them is gone.
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: jobTemplate.spec };
    const words = ['label', '--local', '-f', '-', '-o', 'json', 'a=b'];
    const typed = execFileSync(kubectl, words, { encoding: 'utf8', input: JSON.stringify(job) });
    assertContains(JSON.parse(typed), job, metadata.name);
  }
});

function assertContains(whole: unknown, part: unknown, path: string): void {
  if (part === null || typeof part !== 'object') {
    assert.deepEqual(whole, part, path);
    return;
  }
  assert.ok(whole !== null && typeof whole === 'object', path);
  for (const [name, value] of Object.entries(part))
    assertContains((whole as Record<string, unknown>)[name], value, `${path}.${name}`);
}

test('in its root, which is read-only, it looks, waits for the lock, renews and verifies', async (t) => {
  const mounts = mountsFor(t);
  const unshare = judge(t, 'unshare');
  const bundle = unpacked(t, native);
  if (mounts === undefined || unshare === undefined || bundle === undefined) return;
  const rootfs = join(bundle, 'rootfs');
  const tree = copyFixture(t, 'v1.35-expired-leaves');
  const target = join(rootfs, 'etc/kubernetes');
  mountAsRuntime(mounts, rootfs);
  const { process: start } = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as {
    process: { args: string[]; env: string[] };
  };
  const env = Object.fromEntries(start.env.map((one) => one.split('=', 2) as [string, string]));
  // Without a network: no API server is to be asked.
  const run = (...words: string[]): Promise<ProgramOutcome> =>
    runProgram(unshare, ['--net', '/usr/sbin/chroot', rootfs, ...words], env);
  const kubepki = (...words: string[]): Promise<ProgramOutcome> => run(...start.args, ...words);

  const check = containerOf('kubepki-check-cp-1');
  assert.deepEqual(check.volumeMounts, [
    { name: 'kubernetes', mountPath: '/etc/kubernetes', readOnly: true },
  ]);
  mounts.bind(tree.kubeconfigDir, target);
  mounts.readOnly(target);
  const before = snapshot(tree.directory);
  const checked = await kubepki(...check.args);
  assert.deepEqual([checked.code, checked.stdout.split('\n')[0]?.split(' ')[0]], [5, 'CERTIFICATE']);
  assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  mounts.unmount(target);

  const renew = containerOf('kubepki-renew-cp-1');
  assert.deepEqual(renew.volumeMounts, [{ name: 'kubernetes', mountPath: '/etc/kubernetes' }]);
  const holder = await holdLock(t, lockFile(tree));
  if (holder === undefined) return;
  const busy = await kubepki(...renew.args, '--lock-timeout', '100ms');
  assert.equal(busy.code, 7, busy.stderr);
  assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
  holder.kill();

  const renewed = await kubepki(...renew.args);
  assert.equal(renewed.code, 0, renewed.stderr);
  assert.notDeepEqual(fileChanges(before, snapshot(tree.directory)), []);
  requireSound(tree, join(temporaryDirectory(t), 'sound'), 11);
  requireTidy(tree);
  const again = await kubepki(...check.args);
  assert.equal(again.code, 0, again.stderr);
  const verified = await kubepki('verify');
  assert.equal(verified.code, 0, verified.stdout);

  const hosts = join(temporaryDirectory(t), 'hosts');
  writeFileSync(hosts, '192.0.2.10 api.example\n');
  mounts.bind(hosts, join(rootfs, 'etc/hosts'));
  const found = await run('/usr/bin/getent', 'ahosts', 'api.example');
  assert.match(found.stdout, /^192\.0\.2\.10 /, found.stderr);
  assert.equal((await run('/bin/sh', '-c', 'true')).code, 127);
});

/** As a container's runtime does: it makes the places, closes the root, and mounts what every container has. */
function mountAsRuntime(mounts: Mounts, rootfs: string): void {
  for (const directory of ['dev', 'proc', 'etc/kubernetes']) mkdirSync(join(rootfs, directory));
  for (const file of ['dev/null', 'etc/hosts']) writeFileSync(join(rootfs, file), '');
  mounts.readOnly(rootfs);
  for (const name of ['dev/null', 'proc']) mounts.bind(`/${name}`, join(rootfs, name));
}

test("each program of arm64's finds its libraries in its image", async (t) => {
  const qemu = judge(t, 'qemu-aarch64-static');
  const bundle = unpacked(t, 'arm64');
  if (qemu === undefined || bundle === undefined) return;
  const rootfs = join(bundle, 'rootfs');
  for (const [name, says] of [
    ['kubepki', `${packageJson.version}\n`],
    ['flock', 'flock from util-linux '],
    ['getent', 'getent ('],
  ] as const) {
    const path = join(rootfs, 'usr/bin', name);
    const { code, stdout, stderr } = await runProgram(qemu, ['-L', rootfs, path, '--version']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.ok(stdout.startsWith(says), stdout);
  }
});
