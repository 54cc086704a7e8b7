/** `renew --update-kubeconfig`: a home is its user's. What happens there keeps nothing of the node's own from coming to its end. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { killedAfter, renamesBeforeFiles } from '../../faults/killed.ts';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { kubepkiCommand } from '../../support/kubepki.ts';
import { quickTree } from '../../support/node.ts';
import { copyFixture, type Tree } from '../../support/tree.ts';

const copy = 'home/ann/.kube/config';
const renewal = ['renew', 'admin.conf', '--update-kubeconfig', `/${copy}`];

const adminOf = (tree: Tree): string => readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8');

function withCopy(t: TestContext, path = copy, text?: string): { tree: Tree; file: string; old: string } {
  const tree = quickTree(t);
  const file = join(tree.directory, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text ?? adminOf(tree), { mode: 0o600 });
  return { tree, file, old: adminOf(tree) };
}

/** What Ann does to her file, or around it. */
const deeds: readonly (readonly [string, (file: string) => void])[] = [
  [
    'she writes to it',
    (file) => {
      writeFileSync(file, 'hers');
    },
  ],
  [
    'she removes its directory',
    (file) => {
      rmSync(dirname(file), { recursive: true });
    },
  ],
  [
    'she puts a file in the place of its directory',
    (file) => {
      rmSync(dirname(file), { recursive: true });
      writeFileSync(dirname(file), 'hers');
    },
  ],
  [
    'she puts a link in the place of its directory',
    (file) => {
      rmSync(dirname(file), { recursive: true });
      symlinkSync('/etc', dirname(file));
    },
  ],
  [
    'she puts a directory in its place',
    (file) => {
      rmSync(file);
      mkdirSync(file);
    },
  ],
];

/** undefined: it is no file any more. */
function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

describe('a renewal that was killed half-way comes to its end', () => {
  const removal = (file: string): void => {
    for (const name of readdirSync(dirname(file)).filter((one) => one.includes('.kubepki-'))) {
      rmSync(join(dirname(file), name));
    }
  };
  for (const [what, deed] of [...deeds, ['she removes what is staged', removal] as const]) {
    test(what, async (t) => {
      const strace = judge(t, 'strace');
      if (strace === undefined) return;
      const { tree, file, old } = withCopy(t);
      killedAfter(strace, 1, ['certs', ...renewal, '--rootfs', tree.directory]);
      assert.notEqual(adminOf(tree), old);
      deed(file);
      const hers = contentOf(file);
      const { code, stderr } = await certs(tree, 'recover');
      assert.equal(code, 0, stderr);
      assert.notEqual(adminOf(tree), old);
      assert.equal(contentOf(file), hers, 'what she has made of it stays');
      await done(tree, 'renew', 'admin.conf');
    });
  }
});

describe('rollback', () => {
  for (const [what, deed] of deeds) {
    test(`${what}: that stays, and the rest is brought back`, async (t) => {
      const { tree, file, old } = withCopy(t);
      await done(tree, ...renewal);
      deed(file);
      const { stderr } = await done(tree, 'rollback');
      assert.match(stderr, /^warning: \S+config: stays as it is: /m);
      assert.equal(adminOf(tree), old);
      if (what === 'she writes to it') assert.equal(readFileSync(file, 'utf8'), 'hers');
    });
  }

  test('and forth again', async (t) => {
    const { tree, file, old } = withCopy(t);
    await done(tree, ...renewal);
    const renewed = adminOf(tree);
    const { stderr } = await done(tree, 'rollback');
    assert.deepEqual([adminOf(tree), readFileSync(file, 'utf8')], [old, old]);
    const [, again = ''] = /certs rollback (\S+)/.exec(stderr) ?? [];
    await done(tree, 'rollback', again);
    assert.deepEqual([adminOf(tree), readFileSync(file, 'utf8')], [renewed, renewed]);
  });

  test("a copy that is of another cluster's user too is no certificate of another CA", async (t) => {
    const other = adminOf(copyFixture(t, 'stacked-etcd-rsa'));
    const own = withCopy(t);
    const [mine, theirs] = [own.old, other].map((text) => dataIn(text));
    const text = `apiVersion: v1
kind: Config
current-context: b
contexts:
- {name: a, context: {cluster: c, user: a}}
- {name: b, context: {cluster: c, user: b}}
clusters:
- {name: c, cluster: {server: "https://c"}}
users:
- {name: a, user: {${mine ?? ''}}}
- {name: b, user: {${theirs ?? ''}}}
`;
    writeFileSync(own.file, text);
    await done(own.tree, ...renewal);
    assert.notEqual(readFileSync(own.file, 'utf8'), text);
    await done(own.tree, 'rollback');
    assert.equal(readFileSync(own.file, 'utf8'), text);
  });
});

function dataIn(text: string): string {
  return ['client-certificate-data', 'client-key-data']
    .map((field) => new RegExp(`${field}: [\\w+/=]+`).exec(text)?.[0] ?? '')
    .join(', ');
}

describe('a copy that cannot be written is left, and the rest renewed', () => {
  test('when all is decided, too', (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const { tree, file, old } = withCopy(t);
    const fails = `inject=rename:error=EIO:when=${String(renamesBeforeFiles + 2)}`;
    const { status, stdout, stderr } = spawnSync(
      strace,
      [
        ...['-o', '/dev/null', '-e', 'trace=rename', '-e', fails, ...kubepkiCommand, 'certs', ...renewal],
        ...['--rootfs', tree.directory],
      ],
      { encoding: 'utf8' },
    );
    assert.equal(status, 6, stderr);
    assert.match(stderr, /^warning: \S+config: stays as it is: /m);
    assert.doesNotMatch(stdout, /brought up to date/);
    assert.notEqual(adminOf(tree), old);
    assert.equal(readFileSync(file, 'utf8'), old);
    assert.deepEqual(readdirSync(dirname(file)), ['config']);
  });

  // Beside it there is no room for a longer name.
  const long = `home/ann/${'x'.repeat(250)}`;

  test('it is said, and the exit code is 6', async (t) => {
    const { tree, file, old } = withCopy(t, long);
    const { code, stdout, stderr } = await certs(
      tree,
      'renew',
      'admin.conf',
      '--update-kubeconfig',
      `/${long}`,
    );
    assert.equal(code, 6, stderr);
    assert.match(stderr, /^warning: \S+x: name too long$/m);
    assert.doesNotMatch(stdout, /brought up to date/);
    assert.notEqual(adminOf(tree), old);
    assert.equal(readFileSync(file, 'utf8'), old);
  });
});
