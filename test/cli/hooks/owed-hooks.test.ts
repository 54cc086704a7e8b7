import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { killedAfter } from '../../faults/killed.ts';
import { judge } from '../../support/judge.ts';
import { kubepkiLine } from '../../support/kubepki.ts';
import { certs, done, quickTree, stateDirectory, leavesNoTrace } from '../../support/node.ts';
import { externalTree } from '../../support/certificates/openssl-ca.ts';
import { fileChanges, snapshot, temporaryDirectory, type Cleanup, type Tree } from '../../support/tree.ts';

/** A hook that writes down what it was told, a line for each time it ran. */
function recording(t: Cleanup): { readonly hook: readonly string[]; readonly told: () => string } {
  const file = join(temporaryDirectory(t), 'told');
  const line = '"$KUBEPKI_COMMAND: $KUBEPKI_NAMES; $KUBEPKI_COMPONENTS; $KUBEPKI_BACKUP"';
  return {
    hook: ['--deploy-hook', `echo ${line} >>'${file}'`],
    told: () => (existsSync(file) ? readFileSync(file, 'utf8') : ''),
  };
}

/** Renewed, and killed by the hook itself before that has ended. */
async function renewedAndKilled(tree: Tree, ...names: readonly string[]): Promise<string> {
  const run = await certs(tree, 'renew', ...names, '--deploy-hook', 'kill -9 $PPID');
  assert.notEqual(run.code, 0);
  assert.match(run.stdout, / renewed$/m);
  return backupsOf(tree).at(-1) ?? assert.fail('there is no backup');
}

function backupsOf(tree: Tree): readonly string[] {
  return readdirSync(join(stateDirectory(tree), 'backups')).sort();
}

function records(tree: Tree): readonly string[] {
  return readdirSync(stateDirectory(tree)).filter((name) => name.startsWith('hook-'));
}

const nothingDue = ['renew', 'all', '--within', '1h'];
const prevented = /the deploy hook after an earlier change did not run, or failed/;

describe('a deploy hook that a kill prevented', () => {
  test('runs in the next run, though nothing is due, and is told of the change that was cut off', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const tree = quickTree(t);
    const { hook, told } = recording(t);
    // When the first of the four files is in its place: one more rename, as the word is there before the change.
    killedAfter(strace, 2, [
      ...['certs', 'renew', 'apiserver', 'etcd-peer', '--rootfs', tree.directory],
      ...['--deploy-hook', 'echo not this one'],
    ]);
    assert.equal(records(tree).length, 1);
    const { stdout, stderr } = await done(tree, ...nothingDue, ...hook);
    assert.equal(stdout, 'nothing is due within 1h\n');
    const [backup = ''] = backupsOf(tree);
    assert.equal(told(), `renew: apiserver etcd-peer; etcd kube-apiserver; ${backup}\n`);
    assert.match(
      stderr,
      new RegExp(
        `^note: ${prevented.source}, and runs now: renew of apiserver, etcd-peer \\(backup ${backup}\\)$`,
        'm',
      ),
    );
    assert.deepEqual(records(tree), []);
    await done(tree, ...nothingDue, ...hook);
    assert.equal(told().split('\n').length, 2, 'once');
  });

  test('is owed by nobody when the change was not made', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const tree = quickTree(t);
    const { hook, told } = recording(t);
    // At the rename of the committed journal, with the word there.
    killedAfter(strace, 0, ['certs', 'renew', 'apiserver', '--rootfs', tree.directory, ...hook]);
    assert.equal(records(tree).length, 1);
    await done(tree, ...nothingDue, ...hook);
    assert.equal(told(), '');
    assert.equal(leavesNoTrace(tree), true);
  });

  test('is said by a run without --deploy-hook, and by recover, which makes up for it', async (t) => {
    const tree = quickTree(t);
    const { hook, told } = recording(t);
    const backup = await renewedAndKilled(tree, 'apiserver');
    const said =
      `warning: ${prevented.source}: renew of apiserver (backup ${backup})\n` +
      `hint: run it: kubepki certs recover --deploy-hook CMD --rootfs ${tree.directory}\n`;
    const before = snapshot(tree.directory);
    for (const args of [
      [...nothingDue, '--quiet'],
      ['renew', 'all', '--dry-run'],
      ['recover'],
      ['recover', '--dry-run'],
    ]) {
      const { stderr } = await done(tree, ...args);
      assert.ok(stderr.includes(said), `${args.join(' ')}: ${stderr}`);
    }
    const dryRun = await done(tree, 'recover', '--dry-run', ...hook);
    assert.match(
      dryRun.stderr,
      new RegExp(`^note: ${prevented.source}, and would run: renew of apiserver`, 'm'),
    );
    assert.deepEqual([told(), records(tree).length], ['', 1]);
    const recovered = await done(tree, 'recover', ...hook);
    assert.equal(recovered.stdout, 'nothing to recover\n');
    assert.equal(told(), `renew: apiserver; kube-apiserver; ${backup}\n`);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
    assert.equal((await done(tree, 'recover')).stderr, '');
  });

  test('is never a command line from the disk', async (t) => {
    const tree = quickTree(t);
    await renewedAndKilled(tree, 'apiserver');
    const planted = join(temporaryDirectory(t), 'planted');
    const [name = ''] = records(tree);
    const path = join(stateDirectory(tree), name);
    const text = readFileSync(path, 'utf8');
    assert.ok(!text.includes('kill -9'));
    const more = { hook: `touch ${planted}`, deployHook: `touch ${planted}` };
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(text) as object), ...more }));
    assert.match((await done(tree, ...nothingDue)).stderr, prevented);
    await done(tree, 'recover', '--deploy-hook', 'true');
    assert.equal(existsSync(planted), false);
  });

  test('that fails again is exit 8 again, and stays owed until it has ended well', async (t) => {
    const tree = quickTree(t);
    const { hook, told } = recording(t);
    const failed = await certs(tree, 'renew', 'apiserver', '--deploy-hook', 'exit 3');
    assert.equal(failed.code, 8);
    for (const args of [nothingDue, ['recover']]) {
      const again = await certs(tree, ...args, '--deploy-hook', 'exit 4');
      assert.equal(again.code, 8);
      assert.match(
        again.stderr,
        /^error: the deploy hook ended with exit status 4\nhint: the change is done and stands; the next run with --deploy-hook runs it again$/m,
      );
    }
    await done(tree, ...nothingDue, ...hook);
    assert.match(told(), /^renew: apiserver; /);
    assert.equal((await done(tree, ...nothingDue)).stderr, '');
  });

  test("comes before the run's own, which runs all the same when it fails", async (t) => {
    const tree = quickTree(t);
    const { hook, told } = recording(t);
    const first = await renewedAndKilled(tree, 'apiserver');
    const [flag = '', command = ''] = hook;
    const once = `${command}; [ "$KUBEPKI_NAMES" != apiserver ]`;
    assert.equal((await certs(tree, 'renew', 'etcd-peer', flag, once)).code, 8);
    const [, second = ''] = backupsOf(tree);
    assert.equal(told(), `renew: apiserver; kube-apiserver; ${first}\nrenew: etcd-peer; etcd; ${second}\n`);
    assert.equal(records(tree).length, 1);
  });

  test('is the business of no run that the hook itself calls', async (t) => {
    const tree = quickTree(t);
    const { hook, told } = recording(t);
    const [flag = '', command = ''] = hook;
    const script = join(temporaryDirectory(t), 'inner');
    writeFileSync(script, `${kubepkiLine} certs renew etcd-peer ${flag} "$1" --rootfs '${tree.directory}'\n`);
    const outer = `${command}; sh ${script} '${command.replaceAll("'", String.raw`'\''`)}'`;
    const { stderr } = await done(tree, 'renew', 'apiserver', flag, outer);
    assert.doesNotMatch(stderr, prevented);
    assert.match(told(), /^renew: apiserver; [^\n]*\nrenew: etcd-peer; [^\n]*\n$/);
    assert.deepEqual(records(tree), []);
  });

  test('outlasts a renewal without a hook, and not one with it, nor a rollback', async (t) => {
    const tree = quickTree(t);
    const { hook, told } = recording(t);
    const first = await renewedAndKilled(tree, 'apiserver', 'etcd-peer');
    assert.match((await done(tree, 'renew', 'apiserver', 'etcd-peer')).stderr, prevented);
    assert.match((await done(tree, 'rollback')).stderr, prevented);
    await done(tree, ...nothingDue, ...hook);
    assert.equal(told(), `renew: apiserver etcd-peer; etcd kube-apiserver; ${first}\n`);

    const second = await renewedAndKilled(tree, 'apiserver');
    assert.equal((await done(tree, 'rollback', second, '--force')).stderr.includes('deploy hook'), false);
    assert.deepEqual(records(tree), []);

    await renewedAndKilled(tree, 'apiserver');
    // It tells of all that the one before would have told of.
    await done(tree, 'renew', 'apiserver', 'admin.conf', ...hook);
    assert.deepEqual(
      told()
        .split('\n')
        .slice(1)
        .map((line) => line.split(';')[0]),
      ['renew: admin.conf apiserver', ''],
    );
  });

  test('runs with rollback and install, too', async (t) => {
    const set = externalTree(t, 'ipv6');
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    const { hook, told } = recording(t);
    await done(tree, 'renew', 'apiserver', '--csr-only', '--csr-dir', '/csr');
    ca.sign(join(csrDir, 'apiserver.csr'), join(csrDir, 'apiserver.crt'));
    const install = ['install', '--csr-dir', '/csr'];
    const killed = await certs(tree, ...install, '--deploy-hook', 'kill -9 $PPID');
    assert.match(killed.stdout, /installed/);
    // There is nothing to install any more.
    assert.equal((await certs(tree, ...install, ...hook)).code, 6);
    assert.match(told(), /^install: apiserver; kube-apiserver; \S+\n$/);
    await certs(tree, 'rollback', '--deploy-hook', 'kill -9 $PPID');
    assert.equal((await certs(tree, 'install', 'etcd-peer', '--csr-dir', '/csr', ...hook)).code, 6);
    assert.match(told(), /\nrollback: apiserver; kube-apiserver; \S+\n$/);
    assert.deepEqual(records(tree), []);
  });

  test('a record that cannot be understood is told of by every run, and stops none', async (t) => {
    const tree = quickTree(t);
    await renewedAndKilled(tree, 'apiserver');
    const [name = ''] = records(tree);
    const path = join(stateDirectory(tree), name);
    writeFileSync(path, '{ "version": 2 }');
    const { hook, told } = recording(t);
    const { stdout, stderr } = await done(tree, 'renew', 'etcd-peer', '--quiet', ...hook);
    assert.equal(stdout, '');
    assert.ok(
      stderr.startsWith(
        `warning: ${path}: is no record of a deploy hook that kubepki understands\nhint: a hook may not have followed its change: `,
      ),
      stderr,
    );
    assert.match(told(), /^renew: etcd-peer; /);
    assert.ok(existsSync(path));
    rmSync(path);
    assert.equal((await done(tree, ...nothingDue)).stderr, '');
  });
});
