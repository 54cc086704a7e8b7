import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { killedAfter } from '../../faults/killed.ts';
import { allComponents, quietNote } from '../../support/change-note.ts';
import { until } from '../../support/deadline.ts';
import { judge } from '../../support/judge.ts';
import { kubepki, kubepkiFromCron, kubepkiCommand } from '../../support/kubepki.ts';
import { holdLock, kubeconfigLockFile, lockFile } from '../../support/machine/lock-holder.ts';
import { certs, done, quickTree, stateDirectory } from '../../support/node.ts';
import { externalTree } from '../../support/certificates/openssl-ca.ts';
import { certsLine, terminal } from '../../support/screen.ts';
import { changes, fileChanges, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

/** Nothing is there yet but the node's name, which is said where it comes from, and its address in the configuration. */
function emptyTree(t: TestContext): Tree {
  const directory = temporaryDirectory(t);
  const kubeconfigDir = join(directory, 'etc/kubernetes');
  mkdirSync(kubeconfigDir, { recursive: true });
  writeFileSync(join(directory, 'etc/hostname'), 'node-1\n');
  writeFileSync(
    join(directory, 'kubeadm.yaml'),
    `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.10}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
encryptionAlgorithm: ECDSA-P256
`,
  );
  return { directory, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
}

async function renewed(t: TestContext): Promise<Tree> {
  const tree = quickTree(t);
  await done(tree, 'renew', 'all');
  return tree;
}

async function signed(t: TestContext): Promise<Tree | undefined> {
  const set = externalTree(t, 'ipv6');
  if (set === undefined) return undefined;
  await done(set.tree, 'renew', '--csr-only', '--csr-dir', '/csr');
  // Beyond the end of those in use: a shorter one is a warning.
  set.ca.signAll(set.csrDir, { days: 1000 });
  return set.tree;
}

function interrupted(t: TestContext): Tree | undefined {
  const strace = judge(t, 'strace');
  if (strace === undefined) return undefined;
  const tree = quickTree(t);
  killedAfter(strace, 2, ['certs', 'renew', 'all', '--rootfs', tree.directory]);
  return tree;
}

interface Case {
  readonly args: readonly string[];
  /** A change is one line in the journal; undefined: nothing changes. */
  readonly record?: RegExp;
  readonly tree: (t: TestContext) => Tree | undefined | Promise<Tree | undefined>;
}

const successes: readonly Case[] = [
  { args: ['check-expiration'], tree: quickTree },
  { args: ['check-expiration', '-o', 'text'], tree: quickTree },
  { args: ['check-expiration', '--within', '1h'], tree: quickTree },
  { args: ['renew', 'all'], tree: quickTree, record: /^renewed 10 certificates, .*restart etcd kube-api/ },
  {
    args: ['renew', 'apiserver', 'scheduler.conf'],
    tree: quickTree,
    record:
      /^renewed 2 certificates, .*; backup \S+; to use what is new: kubepki restart kube-apiserver kube-scheduler --rootfs \S+$/,
  },
  { args: ['renew', 'all', '--within', '1h'], tree: quickTree },
  { args: ['renew', 'all', '--dry-run'], tree: quickTree },
  {
    args: ['renew', 'all', '--csr-only', '--csr-dir', '/csr'],
    tree: quickTree,
    record: /^requested 10 certificates; backup \S+$/,
  },
  {
    args: ['install', '--csr-dir', '/csr'],
    tree: signed,
    record: /^installed 10 certificates, .*restart etcd kube-api/,
  },
  {
    args: ['generate', '--config', '/kubeadm.yaml'],
    tree: emptyTree,
    record: /^generated 15 certificates and sa, the earliest ends [^;]*; backup \S+$/,
  },
  {
    args: ['generate-csr', '--config', '/kubeadm.yaml'],
    tree: emptyTree,
    record: /^requested 12 certificates; backup \S+$/,
  },
  { args: ['rollback'], tree: renewed, record: /^rolled back 10 certificates, .*restart etcd kube-api/ },
  { args: ['history'], tree: renewed },
  { args: ['recover'], tree: interrupted },
];

describe('--quiet says nothing when all is well, but a line of what has changed', () => {
  for (const { args, tree, record } of successes) {
    test(args.join(' '), async (t) => {
      const loud = await tree(t);
      const still = await tree(t);
      if (loud === undefined || still === undefined) return;
      const before = snapshot(still.directory);
      const heard = await done(loud, ...args);
      assert.notEqual(heard.stdout, '', 'there is something to hold back');
      assert.doesNotMatch(heard.stderr, /^(?:warning|error):/m);
      const outcome = await certs(still, ...args, '--quiet');
      assert.deepEqual([outcome.stdout, outcome.code], ['', 0]);
      if (record === undefined) assert.equal(outcome.stderr, '');
      else assert.match(/^note: (.*)\n$/.exec(outcome.stderr)?.[1] ?? outcome.stderr, record);
      const paths = (from: Tree): string[] =>
        [...snapshot(from.directory).keys()].filter((path) => !path.includes('kubepki/')).sort();
      assert.deepEqual(paths(still), paths(loud), 'it does the same');
      if (args[0] === 'renew' && args.length === 2) {
        assert.equal(fileChanges(before, snapshot(still.directory)).length, 17);
      }
    });
  }

  test('from cron', async (t) => {
    const tree = quickTree(t);
    const outcome = await kubepkiFromCron(['certs', 'renew', 'all', '--quiet', '--rootfs', tree.directory]);
    const stderr = quietNote(t, tree, { restart: allComponents });
    assert.deepEqual(outcome, { stdout: '', stderr, code: 0, signal: undefined });
  });

  test('a change, and another exit code: its line, and the result', async (t) => {
    const tree = quickTree(t);
    rmSync(join(tree.certDir, 'front-proxy-client.crt'));
    const outcome = await certs(tree, 'renew', 'apiserver', 'front-proxy-client', '--quiet');
    assert.deepEqual(outcome, {
      stdout:
        'certificate for serving the Kubernetes API renewed\nMISSING! certificate for the front proxy client\n',
      stderr: quietNote(t, tree, { names: ['apiserver'], restart: ['kube-apiserver'] }),
      code: 6,
      signal: undefined,
    });
  });
});

describe('--quiet tells the whole story when something is wrong', () => {
  const failures: readonly (Case & { readonly code: number; readonly what: string })[] = [
    {
      what: 'a file cannot be read',
      args: ['check-expiration'],
      code: 1,
      tree: (t) => {
        const tree = quickTree(t);
        writeFileSync(join(tree.certDir, 'apiserver.crt'), 'no certificate');
        return tree;
      },
    },
    {
      what: 'something is due',
      args: ['check-expiration', '--within', '20y'],
      code: 4,
      tree: quickTree,
    },
    {
      what: 'an earlier change needs a decision',
      args: ['renew', 'all'],
      code: 9,
      tree: (t) => {
        const tree = interrupted(t);
        if (tree !== undefined) writeFileSync(join(tree.kubeconfigDir, 'scheduler.conf'), 'somebody else');
        return tree;
      },
    },
    {
      what: 'it is thrown after a note',
      args: ['generate', '--config', '/kubeadm.yaml'],
      code: 1,
      tree: (t) => {
        const tree = emptyTree(t);
        symlinkSync('nowhere', tree.certDir);
        return tree;
      },
    },
    {
      what: 'nothing is there to be brought back',
      args: ['rollback'],
      code: 1,
      tree: quickTree,
    },
    {
      what: 'the configuration is invalid',
      args: ['renew', 'all', '--config', '/kubeadm.yaml'],
      code: 3,
      tree: (t) => {
        const tree = quickTree(t);
        writeFileSync(join(tree.directory, 'kubeadm.yaml'), 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: X\n');
        return tree;
      },
    },
  ];

  for (const { what, args, code, tree } of failures) {
    test(`${what}: exit ${String(code)}`, async (t) => {
      const loud = await tree(t);
      const still = await tree(t);
      if (loud === undefined || still === undefined) return;
      const own = (text: string, { directory }: Tree): string => text.replaceAll(directory, '');
      const heard = await certs(loud, ...args);
      const outcome = await certs(still, ...args, '--quiet');
      assert.equal(outcome.code, code, outcome.stderr);
      assert.equal(heard.code, code);
      assert.equal(own(outcome.stdout, still), own(heard.stdout, loud));
      assert.equal(own(outcome.stderr, still).replaceAll(' --quiet', ''), own(heard.stderr, loud));
      assert.notEqual(outcome.stderr, '');
    });
  }

  test('the note comes before the error that was thrown', async (t) => {
    const tree = emptyTree(t);
    symlinkSync('nowhere', tree.certDir);
    const { stderr } = await certs(tree, 'generate', '--config', '/kubeadm.yaml', '--quiet');
    assert.match(stderr, /^note: the node's name [^]*\nerror: /);
  });

  test('busy: exit 7', async (t) => {
    const tree = quickTree(t);
    if ((await holdLock(t, lockFile(tree))) === undefined) return;
    const outcome = await certs(tree, 'renew', 'all', '--quiet', '--lock-timeout', '0s');
    assert.equal(outcome.code, 7);
    assert.match(outcome.stderr, /^error: another run is at work on these certificates\n/);
  });

  test('SIGINT: what led to it, then that it was interrupted', async (t) => {
    const tree = emptyTree(t);
    if ((await holdLock(t, kubeconfigLockFile(tree))) === undefined) return;
    const args = ['--config', '/kubeadm.yaml', '--rootfs', tree.directory, '--lock-timeout', '5m'];
    const [program, ...words] = kubepkiCommand;
    const child = spawn(program, [...words, 'certs', 'generate', ...args, '--quiet'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    // It makes the directory right before it waits.
    await until(() => (existsSync(tree.certDir) ? true : undefined), {
      deadlineMs: 60_000,
      otherwise: () => `it does not get that far: ${stderr}`,
    });
    child.kill('SIGINT');
    await once(child, 'close');
    assert.equal(child.exitCode, 130);
    assert.match(stderr, /^note: the node's name .*\ninterrupted: nothing was changed\n$/);
  });
});

test('a warning is said, and the line of the change, when the rest is well', async (t) => {
  const tree = quickTree(t);
  const outcome = await certs(tree, 'renew', 'apiserver', '--validity', '90y', '--quiet');
  assert.equal(outcome.code, 0);
  assert.equal(outcome.stdout, '');
  assert.match(
    outcome.stderr,
    /^warning: .*the CA ends on .*\nhint: .*kubepki ca renew ca .*\nnote: renewed 1 certificate, .*\n$/,
  );
});

test('so is the hint that belongs to it', async (t) => {
  const set = externalTree(t, 'ipv6');
  if (set === undefined) return;
  rmSync(join(set.tree.certDir, 'apiserver.key'));
  const outcome = await certs(set.tree, 'renew', 'all', '--quiet');
  assert.equal(outcome.code, 0);
  assert.equal(outcome.stdout, '');
  assert.match(outcome.stderr, /^(?:warning: .*\nhint: .*\n)+$/);
});

describe('--quiet and a document', () => {
  const combinations = [
    ['check-expiration', '-o', 'json'],
    ['check-expiration', '--output', 'yaml'],
    ['check-expiration', '-o=json'],
    ['check-expiration', '-o', 'prometheus'],
    ['check-expiration', '-o', 'jsonpath={.kind}'],
    ['renew', '-o', 'json', 'all'],
    ['history', '-o', 'json'],
  ];
  for (const args of combinations) {
    test(`${args.join(' ')}: a usage error`, async (t) => {
      const tree = quickTree(t);
      for (const command of [
        [...args, '--quiet'],
        [args[0] ?? '', '--quiet', ...args.slice(1)],
      ]) {
        const outcome = await certs(tree, ...command);
        assert.equal(outcome.code, 1);
        assert.equal(outcome.stdout, '');
        assert.match(outcome.stderr, /^error: --quiet does not go with -o, .*\nhint: .*\n$/);
      }
    });
  }
});

test('every command has it, but the one whose result is all it is for', async () => {
  const { stdout: group } = await kubepki(['certs', '--help']);
  const names = [...group.matchAll(/^ {2}([a-z-]+) {2,}/gm)].flatMap(([, name]) => name ?? []);
  assert.ok(names.length >= 9, group);
  for (const name of names) {
    const { stdout } = await kubepki(['certs', name, '--help']);
    assert.equal(stdout.includes('--quiet'), name !== 'certificate-key', name);
  }
});

test('on a terminal it still asks, and says nothing else but what has changed', async (t) => {
  const tree = quickTree(t);
  const before = snapshot(tree.directory);
  const shown = terminal(t, certsLine('renew', '--quiet', '--rootfs', tree.directory));
  if (shown === undefined) return;
  const question = await shown.shows(/Renew these 10 certificates\? \[y\/N\]/);
  assert.match(question, /apiserver +ends /);
  assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  shown.type('y', 'Enter');
  const after = await shown.shows(/exit=0/);
  assert.match(after, /\[y\/N\] y\n\S*note\S*: renewed 10 certificates, [^]*exit=0/);
  assert.equal(fileChanges(before, snapshot(tree.directory)).length, 17);
  assert.ok(existsSync(stateDirectory(tree)));
});
