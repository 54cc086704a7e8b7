import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { changeDocument } from '../../support/change-document.ts';
import { until } from '../../support/deadline.ts';
import { judge } from '../../support/judge.ts';
import { kubepkiCommand, kubepkiLine, type Outcome } from '../../support/kubepki.ts';
import { certs, done, quickTree, stateDirectory } from '../../support/node.ts';
import { externalTree } from '../../support/certificates/openssl-ca.ts';
import { runProgram } from '../../support/program.ts';
import {
  copyFixtureTo,
  fileChanges,
  snapshot,
  temporaryDirectory,
  type Cleanup,
  type Tree,
} from '../../support/tree.ts';

/** A node below a path with a space, and a place for what a hook writes. */
function spaced(t: Cleanup): { readonly tree: Tree; readonly scratch: string } {
  const scratch = temporaryDirectory(t);
  const directory = join(scratch, 'a node');
  mkdirSync(directory);
  return { tree: copyFixtureTo('ipv6', directory), scratch };
}

const variables = ['COMMAND', 'NAMES', 'FILES', 'COMPONENTS', 'BACKUP'] as const;

/** A hook that writes down what it was told, a block for each time it ran. */
function recording(file: string): string {
  const each = variables.map((name) => `printf '${name}=%s\\n' "$KUBEPKI_${name}"`).join('; ');
  return `{ ${each}; echo; } >> '${file}'`;
}

function recorded(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

describe('--deploy-hook', () => {
  test('runs once, and is told names, files, components and the backup', async (t) => {
    const { tree, scratch } = spaced(t);
    const told = join(scratch, 'told');
    const args = ['renew', 'apiserver', 'admin.conf', 'etcd-peer', '-o', 'json'];
    const { stdout } = await done(tree, ...args, '--deploy-hook', recording(told));
    const document = changeDocument(stdout);
    assert.equal(
      recorded(told),
      `COMMAND=renew
NAMES=admin.conf apiserver etcd-peer
FILES=${tree.kubeconfigDir}/admin.conf
${tree.certDir}/apiserver.key
${tree.certDir}/apiserver.crt
${tree.certDir}/etcd/peer.key
${tree.certDir}/etcd/peer.crt
COMPONENTS=etcd kube-apiserver
BACKUP=${document.backup ?? ''}

`,
    );
  });

  test('after an installation, and after a rollback', async (t) => {
    const set = externalTree(t, 'ipv6');
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    const told = join(temporaryDirectory(t), 'told');
    const hook = ['--deploy-hook', recording(told)];
    await done(tree, 'renew', 'apiserver', 'etcd-peer', '--csr-only', '--csr-dir', '/csr');
    ca.sign(join(csrDir, 'apiserver.csr'), join(csrDir, 'apiserver.crt'));
    await done(tree, 'install', '--csr-dir', '/csr', ...hook);
    assert.match(
      recorded(told),
      /^COMMAND=install\nNAMES=apiserver\nFILES=[^ ]*\nCOMPONENTS=kube-apiserver\nBACKUP=2/,
    );
    rmSync(told);
    await done(tree, 'rollback', ...hook);
    assert.match(recorded(told), /^COMMAND=rollback\nNAMES=apiserver\n/);
    rmSync(told);
    // etcd-peer is not signed yet: nothing changes.
    assert.equal((await certs(tree, 'install', 'etcd-peer', '--csr-dir', '/csr', ...hook)).code, 6);
    assert.equal(recorded(told), '');
  });

  test('is not run when nothing in use has changed', async (t) => {
    const tree = quickTree(t);
    const told = join(temporaryDirectory(t), 'told');
    const hook = ['--deploy-hook', recording(told)];
    await done(tree, 'renew', 'all', '--dry-run', ...hook);
    assert.equal((await certs(tree, 'renew', 'super-admin.conf', ...hook)).code, 6);
    await done(tree, 'renew', 'all', ...hook, '--within', '1m');
    assert.equal((await certs(tree, 'install', ...hook)).code, 6);
    const csrOnly = await certs(tree, 'renew', 'all', '--csr-only', ...hook);
    assert.deepEqual([csrOnly.code, csrOnly.stdout], [1, '']);
    assert.match(csrOnly.stderr, /--deploy-hook does not go with --csr-only\nhint: /);
    const { stdout } = await done(tree, 'renew', 'apiserver', '-o', 'json');
    await done(tree, 'rollback');
    await done(tree, 'rollback', changeDocument(stdout).backup ?? '', ...hook);
    // A backup without a certificate in it.
    await done(tree, 'renew', 'apiserver', '--csr-only', '--csr-dir', '/csr');
    await done(tree, 'rollback', ...hook);
    writeFileSync(join(tree.certDir, 'etcd/peer.crt'), 'no certificate');
    assert.equal((await certs(tree, 'renew', 'all', ...hook)).code, 1);
    assert.equal((await certs(tree, 'renew', 'all', '--deploy-hook', ' ')).code, 1);
    assert.equal(recorded(told), '');
  });

  for (const [hook, said] of [
    ['exit 3', 'ended with exit status 3'],
    ['no-such-program-anywhere', 'ended with exit status 127'],
    ['kill -9 $$', 'was ended by SIGKILL'],
  ] as const) {
    test(`that fails is exit 8, and the renewal stands: ${hook}`, async (t) => {
      const tree = quickTree(t);
      const before = snapshot(tree.directory);
      // super-admin.conf is missing, which alone would be exit 6.
      const outcome = await certs(tree, 'renew', 'apiserver', 'super-admin.conf', '--deploy-hook', hook);
      assert.equal(outcome.code, 8);
      assert.ok(
        outcome.stderr.includes(`error: the deploy hook ${said}\nhint: the change is done and stands`),
        outcome.stderr,
      );
      assert.match(outcome.stdout, / renewed$/m);
      assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
        '~ etc/kubernetes/pki/apiserver.crt content',
        '~ etc/kubernetes/pki/apiserver.key content',
      ]);
    });
  }

  test('finds the lock free, and the change on disk', async (t) => {
    const tree = quickTree(t);
    const inner = `${kubepkiLine} certs renew etcd-peer --lock-timeout 0s --rootfs '${tree.directory}'`;
    const before = snapshot(tree.directory);
    const { stdout, stderr } = await done(tree, 'renew', 'apiserver', '--deploy-hook', inner);
    assert.match(stdout, /^certificate for serving the Kubernetes API renewed\n$/);
    assert.match(stderr, /^certificate for etcd nodes to communicate with each other renewed$/m);
    assert.equal(fileChanges(before, snapshot(tree.directory)).length, 4);
    assert.equal((await done(tree, 'history')).stdout.split('\n').length, 4);
  });

  test('has no part in stdout, and nothing on stdin', async (t) => {
    const tree = quickTree(t);
    const hook = 'echo out; echo err >&2; cat; echo "stdin is $(readlink /proc/self/fd/0)" >&2';
    const { stdout, stderr } = await done(tree, 'renew', 'apiserver', '-o', 'json', '--deploy-hook', hook);
    changeDocument(stdout);
    assert.match(stderr, /^out\nerr\nstdin is \/dev\/null$/m);
  });

  test('comes after the result', async (t) => {
    const tree = quickTree(t);
    const both = join(temporaryDirectory(t), 'both');
    const kubepki = `${kubepkiLine} certs renew apiserver --rootfs '${tree.directory}'`;
    await runProgram('/bin/sh', ['-c', `${kubepki} --deploy-hook 'echo hook' >'${both}' 2>&1`]);
    assert.match(readFileSync(both, 'utf8'), / renewed\n[^]*hook\n$/);
  });

  test('is in the command that renews the rest', async (t) => {
    const tree = quickTree(t);
    writeFileSync(join(tree.certDir, 'etcd/peer.crt'), 'no certificate');
    const { stderr } = await certs(tree, 'renew', 'all', '--deploy-hook', 'echo "it is done"');
    assert.match(stderr, / scheduler\.conf --deploy-hook 'echo "it is done"' --rootfs /);
    const restart = ['--restart', '--settle', '1m', '--start-timeout', '2m'];
    const restarting = await certs(tree, 'renew', 'all', '--deploy-hook', 'date', ...restart);
    assert.match(
      restarting.stderr,
      / scheduler\.conf --restart --settle 60000ms --start-timeout 120000ms --deploy-hook date --rootfs /,
    );
  });

  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 143],
  ] as const) {
    test(`${signal} reaches the hook and what it has started, and the change stands`, async (t) => {
      const tree = quickTree(t);
      const scratch = temporaryDirectory(t);
      const [started, survived] = [join(scratch, 'started'), join(scratch, 'survived')];
      const before = snapshot(tree.directory);
      const hook = `sh -c 'echo $$ > "${started}"; exec sleep 600'; touch '${survived}'`;
      const { outcome, signalled } = running(['renew', 'apiserver', '--deploy-hook', hook], tree);
      const pid = await until(() => recorded(started).trim() || undefined, {
        deadlineMs: 60_000,
        otherwise: () => 'the hook does not start',
      });
      signalled(signal);
      const ended = await outcome;
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, /^interrupted: the change is done and complete$/m);
      assert.match(ended.stdout, / renewed$/m);
      // Whoever has taken it over may not have looked at it yet.
      await until(() => (isGone(pid) ? true : undefined), {
        deadlineMs: 60_000,
        otherwise: () => 'what the hook has started goes on',
      });
      assert.equal(existsSync(survived), false);
      assert.equal(fileChanges(before, snapshot(tree.directory)).length, 2);
    });
  }

  test('that winds up on SIGTERM is waited for', async (t) => {
    const tree = quickTree(t);
    const started = join(temporaryDirectory(t), 'started');
    // What it has started may miss a signal that comes before it is a program of its own, and must not keep stderr open then.
    const hook = `trap 'sleep 1; echo wound up; exit 0' TERM; sleep 60 2>&- & echo > '${started}'; wait`;
    const args = ['renew', 'apiserver', '--deploy-hook', hook, '--textfile', '/kubepki.prom'];
    const { outcome, signalled } = running(args, tree);
    await until(() => (existsSync(started) ? true : undefined), {
      deadlineMs: 60_000,
      otherwise: () => 'the hook does not start',
    });
    signalled('SIGTERM');
    const { code, stderr } = await outcome;
    assert.equal(code, 143);
    assert.match(stderr, /^wound up\ninterrupted: the change is done and complete$/m);
    // What the process ended with is what monitoring is told, and no success.
    const metrics = readFileSync(join(tree.directory, 'kubepki.prom'), 'utf8');
    assert.match(metrics, /^kubepki_renew_last_exit_code 143$/m);
    assert.doesNotMatch(metrics, /last_success_timestamp/);
  });

  test('is not begun when the change was interrupted, and that is said', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const tree = quickTree(t);
    const told = join(temporaryDirectory(t), 'told');
    const command = [...kubepkiCommand, 'certs', 'renew', 'apiserver', '--rootfs', tree.directory];
    // The journal is dropped when every file is in its place.
    const journal = join(stateDirectory(tree), 'journal.json');
    const at = ['-e', 'trace=unlink', '-P', journal, '-e', 'inject=unlink:signal=SIGTERM'];
    const { code, stdout, stderr } = await runProgram(strace, [
      ...['-f', '-qq', '-o', '/dev/null', ...at, ...command],
      ...['--deploy-hook', recording(told)],
    ]);
    assert.equal(code, 143, stderr);
    assert.match(stdout, / renewed$/m);
    assert.match(
      stderr,
      /^warning: the deploy hook was not run; the next run with --deploy-hook makes up for it\ninterrupted: the change is done and complete$/m,
    );
    assert.equal(recorded(told), '');
    await done(tree, 'renew', 'all', '--within', '1h', '--deploy-hook', recording(told));
    assert.match(recorded(told), /^COMMAND=renew\nNAMES=apiserver\n/);
  });
});

/** @returns also when it is dead and nobody has asked for its status */
function isGone(pid: string): boolean {
  try {
    return /^\d+ \(.*\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

interface Running {
  readonly outcome: Promise<Pick<Outcome, 'stdout' | 'stderr'> & { readonly code: number | null }>;
  /** Sends a signal to kubepki alone. */
  readonly signalled: (signal: NodeJS.Signals) => void;
}

function running(args: readonly string[], tree: Tree): Running {
  const [program, ...words] = kubepkiCommand;
  const child = spawn(program, [...words, 'certs', ...args, '--rootfs', tree.directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return {
    outcome: new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        resolve({ stdout, stderr, code });
      });
    }),
    signalled: (signal) => child.kill(signal),
  };
}
