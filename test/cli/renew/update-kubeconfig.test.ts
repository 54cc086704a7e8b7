/** `renew --update-kubeconfig`: the copies of admin.conf that people have. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import {
  certsInProcess as certs,
  doneInProcess as done,
  kubepkiInProcess as kubepki,
} from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { quickTree } from '../../support/node.ts';
import { mayChown } from '../../support/root.ts';
import { fileChanges, snapshot, type Tree } from '../../support/tree.ts';

const ann = 12345;
const copy = 'home/ann/.kube/config';
const update = ['--update-kubeconfig', `/${copy}`];

function dataIn(text: string, field: string): string {
  return new RegExp(`${field}: "?([\\w+/=]+)`).exec(text)?.[1] ?? '';
}

/** With another cluster, comments, and an admin who is not of the current context. */
function mixed(admin: string): string {
  return `# Ann's own
apiVersion: v1
kind: Config
current-context: other
contexts:
- context: {cluster: x, user: x}
  name: other
- context: {cluster: kubernetes, user: boss, namespace: dev}   # ours
  name: ours
clusters:
- {name: x, cluster: {server: "https://x"}}
- name: kubernetes
  cluster:
    certificate-authority-data: ${dataIn(admin, 'certificate-authority-data')}
    server: https://k
users:
- {name: x, user: {token: t}}
- name: boss
  user:
    client-key-data: "${dataIn(admin, 'client-key-data')}" # key
    client-certificate-data: ${dataIn(admin, 'client-certificate-data')}
`;
}

const adminOf = (tree: Tree): string => readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8');
const held = (tree: Tree, path = copy): string => readFileSync(join(tree.directory, path), 'utf8');

function put(tree: Tree, path: string, text: string, mode = 0o600): string {
  const file = join(tree.directory, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
  return file;
}

/** A node, and Ann's copy of its admin.conf beside other things. */
function withCopy(t: TestContext): Tree {
  const tree = quickTree(t);
  put(tree, copy, mixed(adminOf(tree)));
  return tree;
}

function giveToAnn(tree: Tree): void {
  for (const path of ['home/ann', 'home/ann/.kube', copy]) chownSync(join(tree.directory, path), ann, ann);
}

describe('renew --update-kubeconfig', () => {
  test('gives a copy what admin.conf gets, and changes nothing else in it; rollback brings both back', async (t) => {
    const tree = withCopy(t);
    const [before, old] = [snapshot(tree.directory), held(tree)];
    const { stdout, stderr } = await done(tree, 'renew', 'admin.conf', ...update);
    assert.equal(
      stdout,
      'certificate embedded in the kubeconfig file for the admin to use and for kubeadm itself renewed\n' +
        `copy ${join(tree.directory, copy)} brought up to date\n`,
    );
    assert.doesNotMatch(stderr, /warning: .*config/);
    assert.notEqual(held(tree), old);
    assert.equal(held(tree), mixed(adminOf(tree)));
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      '~ etc/kubernetes/admin.conf content',
      `~ ${copy} content`,
    ]);
    const openssl = judge(t, 'openssl');
    if (openssl !== undefined) {
      const pem = Buffer.from(dataIn(held(tree), 'client-certificate-data'), 'base64');
      const args = ['verify', '-CAfile', join(tree.certDir, 'ca.crt')];
      assert.match(execFileSync(openssl, args, { input: pem, encoding: 'utf8' }), /OK\n$/);
    }
    await done(tree, 'rollback');
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
  });

  test('kubectl reads the copy, and finds the rest as it was', async (t) => {
    const kubectl = judge(t, 'kubectl');
    if (kubectl === undefined) return;
    const tree = withCopy(t);
    const view = (): Record<string, unknown> => {
      const args = ['config', 'view', '--raw', '-o', 'json', '--kubeconfig', join(tree.directory, copy)];
      return JSON.parse(execFileSync(kubectl, args, { encoding: 'utf8' })) as Record<string, unknown>;
    };
    const { users: old, ...before } = view();
    await done(tree, 'renew', 'admin.conf', ...update);
    const { users, ...after } = view();
    assert.deepEqual(after, before);
    assert.notDeepEqual(users, old);
    const boss = (users as { name: string; user: Record<string, string> }[]).find(
      ({ name }) => name === 'boss',
    );
    assert.equal(boss?.user['client-key-data'], dataIn(adminOf(tree), 'client-key-data'));
  });

  test('after a renewal of yesterday the copy gets what admin.conf holds, and admin.conf stays', async (t) => {
    const tree = withCopy(t);
    await done(tree, 'renew', 'all');
    const admin = adminOf(tree);
    const before = snapshot(tree.directory);
    const again = ['renew', 'admin.conf', '--within', '1d', ...update];
    const dry = await done(tree, ...again, '--dry-run');
    assert.equal(
      dry.stdout,
      `nothing is due within 1d\n  ${join(tree.directory, copy)}\nnothing was changed (--dry-run)\n`,
    );
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
    const { stdout } = await done(tree, ...again, '-o', 'json');
    const { certificates, otherFiles } = JSON.parse(stdout) as {
      readonly certificates: readonly { readonly outcome: string }[];
      readonly otherFiles: readonly string[];
    };
    assert.deepEqual(
      [certificates.map(({ outcome }) => outcome), otherFiles],
      [['not-due'], [join(tree.directory, copy)]],
    );
    assert.equal(held(tree), mixed(admin));
    assert.equal(adminOf(tree), admin);
    const idle = await done(tree, ...again);
    assert.equal(idle.stdout, 'nothing is due within 1d\n');
  });

  test('verify names the command, which mends it', async (t) => {
    const tree = quickTree(t);
    put(tree, 'root/.kube/config', adminOf(tree));
    await done(tree, 'renew', 'all');
    const { stdout } = await kubepki(['verify', '--rootfs', tree.directory]);
    const command = `renew admin.conf --within 1d --update-kubeconfig /root/.kube/config`;
    assert.ok(stdout.includes(`kubepki certs ${command} --rootfs ${tree.directory}`), stdout);
    await done(tree, ...command.split(' '));
    assert.doesNotMatch((await kubepki(['verify', '--rootfs', tree.directory])).stdout, /is an older copy/);
  });

  test('several copies, each once, and admin.conf itself by a link', async (t) => {
    const tree = withCopy(t);
    put(tree, 'root/.kube/config', adminOf(tree));
    symlinkSync('/etc/kubernetes/admin.conf', join(tree.directory, 'root/admin'));
    const paths = [`/${copy}`, '/root/.kube/config', '/root/../root/.kube/config', '/root/admin'];
    const { stdout } = await done(
      tree,
      'renew',
      'all',
      ...paths.flatMap((path) => ['--update-kubeconfig', path]),
    );
    assert.equal(stdout.match(/^copy .* brought up to date$/gm)?.length, 2);
    assert.equal(held(tree, 'root/.kube/config'), adminOf(tree));
  });
});

describe('a copy that is left as it is keeps nothing else from being renewed', () => {
  test('it has no key, is readable for others, is not there: each is said, and the exit code is 6', async (t) => {
    const tree = withCopy(t);
    put(tree, 'root/keyless', held(tree).replace(/ +client-key-data.*\n/, ''));
    put(tree, 'root/open', held(tree));
    chmodSync(join(tree.directory, 'root/open'), 0o644);
    const others = ['/root/keyless', '/root/open', '/root/gone'];
    const before = snapshot(tree.directory);
    const flags = others.flatMap((path) => ['--update-kubeconfig', path]);
    const { code, stdout, stderr } = await certs(tree, 'renew', 'admin.conf', ...update, ...flags);
    assert.equal(code, 6);
    assert.match(stdout, /^copy \S+config brought up to date$/m);
    assert.match(stderr, /^warning: \S+keyless: user boss has a certificate of admin\.conf without its key/m);
    assert.match(
      stderr,
      /^warning: \S+open: may be read by others than its owner.*\nhint: chmod 0600 \S+open$/m,
    );
    assert.match(stderr, /^warning: \S+gone: no such file$/m);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      '~ etc/kubernetes/admin.conf content',
      `~ ${copy} content`,
    ]);
  });

  test("a user's own file stays the user's", async (t) => {
    if (!mayChown(t)) return;
    const tree = withCopy(t);
    giveToAnn(tree);
    await done(tree, 'renew', 'admin.conf', ...update);
    const { uid, gid, mode } = statSync(join(tree.directory, copy));
    assert.deepEqual([uid, gid, mode & 0o777], [ann, ann, 0o600]);
    assert.equal(held(tree), mixed(adminOf(tree)));
  });

  for (const [what, lay, reason] of [
    [
      "a link of the user's leads to it",
      (home: string) => {
        rmSync(join(home, '.kube/config'));
        symlinkSync('/root/target', join(home, '.kube/config'));
        lchownSync(join(home, '.kube/config'), ann, ann);
      },
      /the symbolic link \S+ belongs to uid 12345, who would decide which file is overwritten/,
    ],
    [
      "a directory of the user's is a link",
      (home: string) => {
        rmSync(join(home, '.kube'), { recursive: true });
        symlinkSync('/root', join(home, '.kube'));
        lchownSync(join(home, '.kube'), ann, ann);
      },
      /the symbolic link \S+ belongs to uid 12345/,
    ],
    [
      'others may write to its directory',
      (home: string) => {
        chmodSync(join(home, '.kube'), 0o777);
      },
      /is a directory that other users can write to/,
    ],
  ] as const) {
    test(`${what}: nothing is written there`, async (t) => {
      if (!mayChown(t)) return;
      const tree = withCopy(t);
      for (const name of ['root/target', 'root/config']) put(tree, name, held(tree));
      giveToAnn(tree);
      lay(join(tree.directory, 'home/ann'));
      const before = snapshot(tree.directory);
      const { code, stderr } = await certs(tree, 'renew', 'admin.conf', ...update);
      assert.equal(code, 6);
      assert.match(stderr, reason);
      assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
        '~ etc/kubernetes/admin.conf content',
      ]);
    });
  }
});

describe('what --update-kubeconfig goes with', () => {
  for (const [args, line] of [
    [['apiserver'], /^error: --update-kubeconfig goes with admin\.conf or super-admin\.conf\n/],
    [['all', '--csr-only'], /^error: --update-kubeconfig does not go with --csr-only\n/],
    [['all', '--use-api'], /^error: --update-kubeconfig does not go with --use-api\n/],
  ] as const) {
    test(args.join(' '), async (t) => {
      const tree = withCopy(t);
      const before = snapshot(tree.directory);
      const { code, stderr } = await certs(tree, 'renew', ...args, ...update);
      assert.equal(code, 1);
      assert.match(stderr, line);
      assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
    });
  }
});
