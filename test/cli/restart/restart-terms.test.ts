import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { besideChangeNote } from '../../support/change-note.ts';
import { FileSystemRoot } from '../../../src/filesystem/root.ts';
import { sha256 } from '../../../src/filesystem/regular-file.ts';
import { writePendingRestarts, type RestartTerms } from '../../../src/storage/pending-restarts.ts';
import { stateFor } from '../../support/state.ts';
import { plane, quickly } from '../../support/kubelet/restart.ts';
import { kubepki, type Outcome } from '../../support/kubepki.ts';
import { certs, done, quickTree, stateDirectory } from '../../support/node.ts';
import { pod } from '../../support/manifests.ts';
import type { Cleanup, Tree } from '../../support/tree.ts';

/** A node whose scheduler is left to restart, and its manifest is where the default does not lead. */
function leftToRestart(t: Cleanup, times: Omit<RestartTerms, 'manifestsDir'>): Tree {
  const tree = quickTree(t);
  const manifestsDir = join(tree.directory, 'pods');
  mkdirSync(manifestsDir);
  const manifest = pod('kube-scheduler', [], { host: '127.0.0.1', scheme: 'HTTPS' });
  writeFileSync(join(manifestsDir, 'kube-scheduler.yaml'), manifest, { mode: 0o600 });
  const root = FileSystemRoot.open(tree.directory, '/');
  const state = stateFor(root.resolve(tree.certDir), { root: root.directory });
  mkdirSync(state.path, { mode: 0o700 });
  const path = join(root.resolve(tree.kubeconfigDir), 'scheduler.conf');
  const files = [{ path, sha256: sha256(readFileSync(path)) }];
  writePendingRestarts(
    state,
    {
      restarts: [{ component: 'kube-scheduler', files }],
      terms: { manifestsDir: join(root.directory, 'pods'), ...times },
    },
    readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  );
  return tree;
}

function restart(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  return kubepki(['restart', ...args, '--rootfs', tree.directory]);
}

function pendingFile(tree: Tree): string {
  return join(stateDirectory(tree), 'pending-restarts.json');
}

describe('a restart that is made up for', () => {
  test('goes by the flags of the run that left it', async (t) => {
    const tree = leftToRestart(t, { settle: 1500, startTimeout: 60_000 });
    const { code, stdout, stderr } = await restart(tree, 'kube-scheduler', '--dry-run');
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'kube-scheduler would be restarted\n');
    assert.equal(
      stderr,
      'note: restarting as the earlier run was to: --manifests-dir /pods --settle 1500ms --start-timeout 60000ms\n',
    );
    const recovered = await done(tree, 'recover');
    assert.ok(
      recovered.stderr.endsWith(
        `hint: kubepki restart kube-scheduler --rootfs ${tree.directory} --manifests-dir /pods\n`,
      ),
      recovered.stderr,
    );
  });

  test('unless the command line says otherwise', async (t) => {
    const tree = leftToRestart(t, { settle: 0 });
    const short = ['kube-scheduler', '--dry-run', '--stop-timeout', '1s'];
    // By default it would settle for longer than that.
    const left = await restart(tree, ...short);
    assert.equal(left.code, 0, left.stderr);
    assert.match(left.stderr, /: --manifests-dir \/pods --settle 0ms\n$/);
    const typed = await restart(tree, ...short, '--settle', '5s');
    assert.equal(typed.code, 1);
    assert.match(
      typed.stderr,
      /^note: restarting as the earlier run was to: --manifests-dir \/pods\nerror: --stop-timeout must be longer than --settle/,
    );
    mkdirSync(join(tree.directory, 'empty'));
    const elsewhere = await restart(tree, 'kube-scheduler', '--dry-run', '--manifests-dir', '/empty');
    assert.doesNotMatch(elsewhere.stdout, /would be restarted/);
    assert.doesNotMatch(elsewhere.stderr, /manifests-dir/);
  });

  test('what nobody has left to restart goes by the defaults', async (t) => {
    const tree = leftToRestart(t, { settle: 5000 });
    const { stdout, stderr } = await restart(tree, 'kube-apiserver', '--dry-run');
    assert.doesNotMatch(stdout, /would be restarted/);
    assert.equal(stderr, '');
  });

  test('a directory that has gone since is an error, and nothing is forgotten', async (t) => {
    const tree = leftToRestart(t, {});
    rmSync(join(tree.directory, 'pods'), { recursive: true });
    const expected = /^error: \S+\/pods: no such directory\nhint: name the directory with --manifests-dir$/m;
    const alone = await restart(tree, 'kube-scheduler');
    assert.equal(alone.code, 1);
    assert.match(alone.stderr, expected);
    const nothingDue = await certs(tree, 'renew', 'all', '--within', '1h', '--restart');
    assert.equal(nothingDue.code, 8);
    assert.match(nothingDue.stderr, expected);
    // Before anything is renewed.
    const due = await certs(tree, 'renew', 'apiserver', '--restart');
    assert.deepEqual([due.code, due.stdout], [1, '']);
    assert.match(due.stderr, expected);
    assert.ok(existsSync(pendingFile(tree)));
  });

  test('a record that cannot be understood is told of, and stops no renewal', async (t) => {
    const tree = leftToRestart(t, {});
    writeFileSync(pendingFile(tree), '{ "version": 2 }');
    const { stdout, stderr } = await done(tree, 'renew', 'admin.conf', '--quiet');
    assert.equal(stdout, '');
    assert.equal(
      besideChangeNote(stderr),
      `warning: ${pendingFile(tree)}: is no record of restarts that kubepki understands; what an earlier run has left to restart is not known\n` +
        `hint: if certificates have changed since their components were started: kubepki restart --rootfs ${tree.directory}\n`,
    );
    assert.equal(besideChangeNote((await done(tree, 'renew', 'admin.conf', '--quiet')).stderr), '', 'once');
    writeFileSync(pendingFile(tree), '{ "version": 2 }');
    const elsewhere = await done(tree, 'renew', 'admin.conf', '--manifests-dir', '/pods');
    assert.ok(
      elsewhere.stderr.includes(`: kubepki restart --rootfs ${tree.directory} --manifests-dir /pods\n`),
      elsewhere.stderr,
    );
  });
});

describe('renew --restart', () => {
  test('leaves word of its flags, which the next run goes by, and its own flags win', async (t) => {
    const node = await plane(t, {
      without: ['etcd', 'kube-apiserver', 'kube-controller-manager'],
      flags: (_, tree) => ({ 'kube-scheduler': [`--refuse-while=${join(tree.directory, 'broken')}`] }),
    });
    if (node === undefined) return;
    const { tree } = node;
    const broken = join(tree.directory, 'broken');
    writeFileSync(broken, '');
    const where = ['--manifests-dir', '/etc/kubernetes/manifests'];
    const flags = [...where, ...quickly, '--start-timeout', '2s'];
    const failed = await certs(tree, 'renew', 'scheduler.conf', '--restart', ...flags);
    assert.equal(failed.code, 8, failed.stderr);
    assert.match(failed.stderr, /not healthy again within 2s/);
    assert.doesNotMatch(failed.stderr, /as the earlier run was to/);
    const nothingDue = ['renew', 'all', '--within', '1h', '--restart'];
    const again = await certs(tree, ...nothingDue);
    assert.equal(again.code, 8, again.stderr);
    assert.match(
      again.stderr,
      /^note: restarting as the earlier run was to: --manifests-dir \/etc\/kubernetes\/manifests --settle 1000ms --start-timeout 2000ms\nerror: .*not healthy again within 2s/m,
    );
    rmSync(broken);
    await node.healthy();
    const typed = await done(tree, ...nothingDue, '--start-timeout', '90s');
    assert.match(typed.stdout, /^kube-scheduler restarted$/m);
    assert.match(typed.stderr, /--manifests-dir \/etc\/kubernetes\/manifests --settle 1000ms\n$/);
    assert.equal(existsSync(pendingFile(tree)), false);
  });
});
