/**
 * A CA of another user's among root's files: what it signs goes where its owner can put what he likes already, and nowhere
 * else. Whose the CA, the files and their directories are, by command; and links on the way to a CA.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  lchownSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { type Outcome } from '../../support/kubepki.ts';
import { makeCa } from '../../support/certificates/resigned.ts';
import { mayChown } from '../../support/root.ts';
import { changes, copyFixture, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

const stranger = 12345;
const certs = ({ directory }: Tree, ...args: string[]): Promise<Outcome> =>
  kubepki(['certs', ...args, '--rootfs', directory]);

function give(...paths: string[]): void {
  for (const path of paths) chownSync(path, stranger, stranger);
}

function everything({ directory }: Tree): string[] {
  return [directory, ...[...snapshot(directory).keys()].map((path) => join(directory, path))];
}

async function refused(tree: Tree, args: readonly string[], says: RegExp): Promise<void> {
  const before = snapshot(tree.directory);
  for (const way of [[...args, '--dry-run'], args]) {
    const outcome = await certs(tree, ...way);
    assert.equal(outcome.code, 1, outcome.stderr);
    assert.match(outcome.stderr, says);
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
  }
}

const belongs =
  /^error: .*\/pki\/ca\.crt: belongs to uid 12345, who would decide which CA is used for .*\nhint: /m;

describe("another user's CA", () => {
  for (const name of ['apiserver', 'admin.conf', 'all']) {
    test(`signs no ${name} of root's`, async (t) => {
      if (!mayChown(t)) return;
      const tree = copyFixture(t, 'stacked-etcd-ecdsa');
      give(join(tree.certDir, 'ca.crt'), join(tree.certDir, 'ca.key'));
      await refused(tree, ['renew', name], belongs);
    });
  }

  test('is not the one by which what was signed elsewhere is judged', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined || !mayChown(t)) return;
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    assert.equal((await certs(tree, 'renew', 'admin.conf', '--csr-only', '--csr-dir', '/csr')).code, 0);
    const ca = join(temporaryDirectory(t), 'ca');
    makeCa(openssl, ca, 'kubernetes');
    copyFileSync(`${ca}.crt`, join(tree.certDir, 'ca.crt'));
    rmSync(join(tree.certDir, 'ca.key'));
    give(join(tree.certDir, 'ca.crt'));
    const csr = join(tree.directory, 'csr/admin.conf.csr');
    writeFileSync(`${ca}.ext`, 'extendedKeyUsage = clientAuth\nkeyUsage = critical, digitalSignature\n');
    execFileSync(openssl, [
      ...['x509', '-req', '-in', csr, '-CA', `${ca}.crt`, '-CAkey', `${ca}.key`, '-days', '300'],
      ...['-extfile', `${ca}.ext`, '-out', csr.replace(/csr$/, 'crt')],
    ]);
    await refused(tree, ['install', '--csr-dir', '/csr'], belongs);
  });

  test('signs nothing that is made anew among files of root', async (t) => {
    if (!mayChown(t)) return;
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    rmSync(join(tree.certDir, 'apiserver-kubelet-client.crt'));
    rmSync(join(tree.certDir, 'apiserver-kubelet-client.key'));
    give(join(tree.certDir, 'ca.crt'), join(tree.certDir, 'ca.key'));
    await refused(tree, ['generate', 'apiserver-kubelet-client'], belongs);
  });

  /** What is the stranger's beside the CA, and what root may do there all the same. */
  const allowed: readonly (readonly [string, (tree: Tree) => readonly string[], readonly string[]])[] = [
    ['the whole tree, as in a checkout', everything, ['renew', 'all']],
    ['the directory', ({ certDir }) => [certDir], ['renew', 'apiserver']],
    [
      'the file',
      ({ certDir }) => [join(certDir, 'apiserver.crt'), join(certDir, 'apiserver.key')],
      ['renew', 'apiserver'],
    ],
    [
      "etcd's files, signed for together with root's",
      ({ certDir }) =>
        ['ca.crt', 'ca.key', 'server.crt', 'server.key'].map((name) => join(certDir, 'etcd', name)),
      ['renew', 'etcd-server', 'front-proxy-client'],
    ],
    ['nothing, and another CA signs', () => [], ['renew', 'front-proxy-client', 'etcd-server']],
  ];
  for (const [what, theirs, command] of allowed) {
    test(`and ${what}: ${command.join(' ')}`, async (t) => {
      if (!mayChown(t)) return;
      const tree = copyFixture(t, 'stacked-etcd-ecdsa');
      give(join(tree.certDir, 'ca.crt'), join(tree.certDir, 'ca.key'), ...theirs(tree));
      const outcome = await certs(tree, ...command);
      assert.equal(outcome.code, 0, outcome.stderr);
    });
  }

  test('a checkout in which root has made files can be renewed by root again', async (t) => {
    if (!mayChown(t)) return;
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    for (const end of ['crt', 'key']) rmSync(join(tree.certDir, `apiserver-kubelet-client.${end}`));
    give(...everything(tree));
    for (const command of [
      ['generate', 'apiserver-kubelet-client'],
      ['renew', 'all'],
    ]) {
      const outcome = await certs(tree, ...command);
      assert.equal(outcome.code, 0, outcome.stderr);
    }
  });

  // kubeadm's rootless control planes: the key is the user's who runs kube-controller-manager.
  test("only the CA's key: it fits root's certificate, whoever else may sign with it", async (t) => {
    if (!mayChown(t)) return;
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    give(join(tree.certDir, 'ca.key'));
    assert.equal((await certs(tree, 'renew', 'all')).code, 0);
  });
});

describe("another user's link to a CA", () => {
  /** Moves the CA's file away, and has a link lead there. */
  function link(t: TestContext, end: 'crt' | 'key', ...theirs: ('link' | 'file')[]): Tree {
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    const elsewhere = join(tree.directory, 'elsewhere');
    mkdirSync(elsewhere);
    const path = join(tree.certDir, `ca.${end}`);
    const file = join(elsewhere, `ca.${end}`);
    renameSync(path, file);
    symlinkSync(`/elsewhere/ca.${end}`, path);
    if (theirs.includes('link')) lchownSync(path, stranger, stranger);
    if (theirs.includes('file')) give(file);
    return tree;
  }

  for (const end of ['crt', 'key'] as const) {
    test(`leads to no ca.${end} of root's`, async (t) => {
      if (!mayChown(t)) return;
      const tree = link(t, end, 'link');
      give(tree.certDir, join(tree.certDir, 'apiserver.crt'), join(tree.certDir, 'apiserver.key'));
      await refused(tree, ['renew', 'apiserver'], /the symbolic link .*\/ca\.(crt|key) belongs to uid 12345/);
    });

    test(`may lead to a ca.${end} of the same user's, for that user's files`, async (t) => {
      if (!mayChown(t)) return;
      const tree = link(t, end, 'link', 'file');
      give(tree.certDir);
      assert.equal((await certs(tree, 'renew', 'apiserver')).code, 0);
    });

    test(`root's own link to ca.${end} is root's word`, async (t) => {
      if (!mayChown(t)) return;
      assert.equal((await certs(link(t, end), 'renew', 'all')).code, 0);
    });
  }
});
