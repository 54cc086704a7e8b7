/** What a change would be refused for, its dry run is refused for: the same code, the same lines, the same document. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { changeDocument, entry } from '../../support/change-document.ts';
import {
  certsInProcess as certs,
  doneInProcess as done,
  kubepkiInProcess as kubepki,
} from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { type Outcome } from '../../support/kubepki.ts';
import { writeManifest } from '../../support/manifests.ts';
import { quickTree, stateDirectory } from '../../support/node.ts';
import { externalTree } from '../../support/certificates/openssl-ca.ts';
import { mayChown } from '../../support/root.ts';
import { changes, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

/** The command with `--dry-run` and without it, both refused alike. @returns what the run said */
async function refusedAlike(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  const before = snapshot(tree.directory);
  const dry = await certs(tree, ...args, '--dry-run');
  const run = await certs(tree, ...args);
  assert.notEqual(run.code, 0, run.stdout);
  assert.deepEqual([dry.code, dry.stderr], [run.code, run.stderr]);
  assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  return run;
}

function edit(tree: Tree, name: string, change: (text: string) => string): void {
  const path = join(tree.kubeconfigDir, name);
  const text = readFileSync(path, 'utf8');
  const changed = change(text);
  assert.notEqual(changed, text);
  writeFileSync(path, changed);
}

/** Its user stands for something else too. */
function shareElsewhere(tree: Tree, name: string): void {
  edit(
    tree,
    name,
    (text) => `${text.replace(/^ {2}user:$/m, '  user: &u')}extensions:\n- name: x\n  extension: *u\n`,
  );
}

describe('a kubeconfig that shares its data over YAML anchors', () => {
  test('with another user: both get the new certificate, and the other bytes stay', async (t) => {
    const kubectl = judge(t, 'kubectl');
    if (kubectl === undefined) return;
    const tree = quickTree(t);
    edit(
      tree,
      'admin.conf',
      (text) => `${text.replace(/^ {2}user:$/m, '  user: &u')}- name: also-admin\n  user: *u # the same\n`,
    );
    const path = join(tree.kubeconfigDir, 'admin.conf');
    const masked = (): string => readFileSync(path, 'utf8').replaceAll(/(client-[a-z]+-data:) \S+/g, '$1');
    const [before, old] = [masked(), readFileSync(path, 'utf8')];
    await done(tree, 'renew', 'admin.conf', '--dry-run');
    await done(tree, 'renew', 'admin.conf');
    assert.equal(masked(), before);
    assert.notEqual(readFileSync(path, 'utf8'), old);
    const args = ['config', 'view', '--raw', '-o', 'json', '--kubeconfig', path];
    const view = JSON.parse(execFileSync(kubectl, args, { encoding: 'utf8' })) as {
      users: { user: Record<string, string> }[];
    };
    const [one, other] = view.users.map(({ user }) => user);
    assert.deepEqual(one, other);
    const bits = (pem: string | undefined): string => Buffer.from(pem ?? '', 'base64').toString();
    const scratch = temporaryDirectory(t);
    const publicKey = (what: string, ...command: readonly string[]): string => {
      const file = join(scratch, command[0] ?? '');
      writeFileSync(file, what, { mode: 0o600 });
      return execFileSync('openssl', [...command, '-in', file], { encoding: 'utf8' });
    };
    assert.equal(
      publicKey(bits(one?.['client-certificate-data']), 'x509', '-noout', '-pubkey'),
      publicKey(bits(one?.['client-key-data']), 'pkey', '-pubout'),
    );
  });

  test('with something else: refused, with the file, the next step, and the command that renews the rest', async (t) => {
    const tree = quickTree(t);
    shareElsewhere(tree, 'admin.conf');
    const path = join(tree.kubeconfigDir, 'admin.conf');
    const { code, stderr } = await refusedAlike(tree, 'renew', 'all');
    assert.equal(code, 1);
    const [error, hint, rest, ...others] = stderr.split('\n');
    assert.equal(
      error,
      `error: ${path}: cannot be rewritten without changing something else in it (so admin.conf cannot be renewed)`,
    );
    assert.match(hint ?? '', /^hint: write the values out .*: kubectl config view --raw --kubeconfig FILE/);
    assert.match(rest ?? '', /^hint: nothing was changed; to renew the rest: kubepki certs renew apiserver /);
    assert.deepEqual(others, ['']);

    for (const more of [['--dry-run'], []]) {
      const document = changeDocument((await certs(tree, 'renew', 'all', '-o', 'json', ...more)).stdout);
      assert.equal(document.dryRun, more.length > 0);
      assert.equal(entry(document, 'admin.conf').outcome, 'refused');
      assert.ok(entry(document, 'admin.conf').reason?.startsWith(`${path}: cannot be rewritten`));
      assert.equal(entry(document, 'apiserver').outcome, 'unchanged');
    }
    // The hint is a command that works.
    const [, command = ''] = /to renew the rest: kubepki (.*)/.exec(stderr) ?? [];
    const pasted = await kubepki(command.split(' '));
    assert.equal(pasted.code, 0, pasted.stderr);
  });

  test('over a merge key from elsewhere: refused alike', async (t) => {
    const tree = quickTree(t);
    edit(tree, 'scheduler.conf', (text) => {
      const [, user = ''] = /^ {2}user:\n((?: {4}.*\n)+)/m.exec(text) ?? [];
      return `x-user: &u\n${user}${text.replace(`  user:\n${user}`, '  user:\n    <<: *u\n')}`;
    });
    const { stderr } = await refusedAlike(tree, 'renew', 'scheduler.conf');
    assert.match(
      stderr,
      /^error: \S*scheduler\.conf: client-certificate-data comes from a YAML merge key and/,
    );
  });

  test('install refuses it as well, before it changes anything', async (t) => {
    const set = externalTree(t, 'stacked-etcd-ecdsa');
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'admin.conf', 'apiserver', '--csr-only', '--csr-dir', '/csr');
    ca.signAll(csrDir);
    shareElsewhere(tree, 'admin.conf');
    const { stderr } = await refusedAlike(tree, 'install', '--csr-dir', '/csr');
    assert.match(stderr, /^error: \S*\/admin\.conf: cannot be rewritten without /);
    const document = changeDocument((await certs(tree, 'install', '--csr-dir', '/csr', '-o', 'json')).stdout);
    assert.equal(entry(document, 'admin.conf').outcome, 'refused');
    assert.equal(entry(document, 'apiserver').outcome, 'unchanged');
  });
});

/** A CA that may sign for one domain only. */
function constrain(openssl: string, tree: Tree): void {
  const [key, certificate] = ['ca.key', 'ca.crt'].map((name) => join(tree.certDir, name));
  const args = ['req', '-x509', '-key', key ?? '', '-subj', '/CN=kubernetes', '-days', '3000'];
  const limit = ['-addext', 'nameConstraints=critical,permitted;DNS:acme.test'];
  execFileSync(openssl, [...args, ...limit, '-out', certificate ?? ''], { stdio: 'pipe' });
}

describe('what only the change used to find out', () => {
  test('renew: a CA that must not sign the names of a certificate refuses that one, and names the rest', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = quickTree(t);
    constrain(openssl, tree);
    const { stderr } = await refusedAlike(tree, 'renew', 'apiserver', 'apiserver-kubelet-client', '--force');
    assert.match(
      stderr,
      /^error: \S*apiserver\.crt: a certificate for apiserver would be refused: it is signed by "CN=kubernetes", which must not sign for .*\nhint: .*\nhint: nothing was changed; to renew the rest: kubepki certs renew apiserver-kubelet-client --force --rootfs \S+\n$/,
    );
    const refused = changeDocument(
      (await certs(tree, 'renew', 'apiserver', '--force', '--dry-run', '-o', 'json')).stdout,
    );
    assert.equal(entry(refused, 'apiserver').outcome, 'refused');
  });

  test('generate: the same', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = quickTree(t);
    constrain(openssl, tree);
    for (const name of ['apiserver.crt', 'apiserver.key']) rmSync(join(tree.certDir, name));
    const naming = ['--node-name', 'cp1', '--advertise-address', '192.0.2.10'];
    const { stderr } = await refusedAlike(tree, 'generate', 'apiserver', ...naming);
    assert.match(
      stderr,
      /apiserver\.crt: a certificate for apiserver would be refused: .*cannot be generated/,
    );
    const args = ['generate', 'apiserver', ...naming, '--dry-run', '-o', 'json'];
    assert.equal(entry(changeDocument((await certs(tree, ...args)).stdout), 'apiserver').outcome, 'refused');
  });

  test('generate: a file where a directory would be made', async (t) => {
    const tree = quickTree(t);
    writeFileSync(join(tree.directory, 'file'), '');
    const there = ['--cert-dir', '/file/pki', '--kubeconfig-dir', '/file/etc'];
    const naming = ['--node-name', 'cp1', '--advertise-address', '192.0.2.10'];
    const { stderr } = await refusedAlike(tree, 'generate', ...naming, ...there);
    assert.match(stderr, /^error: \S*\/file\/\S+: a part of the path is not a directory$/m);
  });

  for (const command of ['renew apiserver', 'rollback']) {
    test(`${command} --restart: a manifest that cannot be used`, async (t) => {
      const tree = quickTree(t);
      await done(tree, 'renew', 'apiserver');
      writeManifest(tree, 'kube-apiserver', 'kind: [');
      const { stderr } = await refusedAlike(tree, ...command.split(' '), '--restart');
      assert.match(stderr, /kube-apiserver\.yaml: /);
    });
  }

  test('install --restart: the same', async (t) => {
    const set = externalTree(t, 'stacked-etcd-ecdsa');
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', '--csr-only', '--csr-dir', '/csr');
    ca.signAll(csrDir);
    writeManifest(tree, 'kube-apiserver', 'kind: [');
    await refusedAlike(tree, 'install', '--csr-dir', '/csr', '--restart');
  });

  test('install: a link of somebody else among what is cleared away', async (t) => {
    const set = externalTree(t, 'stacked-etcd-ecdsa');
    if (set === undefined || !mayChown(t)) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', '--csr-only', '--csr-dir', '/csr');
    ca.signAll(csrDir);
    const request = join(csrDir, 'apiserver.csr');
    renameSync(request, join(tree.directory, 'moved.csr'));
    symlinkSync('/moved.csr', request);
    lchownSync(request, 65534, 65534);
    const { stderr } = await refusedAlike(tree, 'install', '--csr-dir', '/csr');
    assert.match(stderr, /apiserver\.csr: the symbolic link \S+ belongs to uid 65534/);
  });

  test('rollback: the directory of a file is gone', async (t) => {
    const tree = quickTree(t);
    await done(tree, 'renew', 'etcd-server');
    rmSync(join(tree.certDir, 'etcd'), { recursive: true });
    const { stderr } = await refusedAlike(tree, 'rollback', '--force');
    assert.match(stderr, /etcd\/server\.\w+: no such file or directory/);
  });

  test('every command: a state directory in which others could write', async (t) => {
    const tree = quickTree(t);
    mkdirSync(stateDirectory(tree));
    chmodSync(stateDirectory(tree), 0o777);
    for (const args of [
      ['renew', 'apiserver'],
      ['renew', 'apiserver', '--csr-only', '--csr-dir', '/csr'],
    ]) {
      const { stderr } = await refusedAlike(tree, ...args);
      assert.match(stderr, /kubepki: is not a directory that only you can write to/);
    }
  });
});
