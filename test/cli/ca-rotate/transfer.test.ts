import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { judge } from '../../support/judge.ts';
import { terminal } from '../../support/screen.ts';
import { kubepkiLine } from '../../support/kubepki.ts';
import { changes, snapshot, temporaryDirectory, type Cleanup, type Tree } from '../../support/tree.ts';
import { ca, done, freshNode, unasked } from './rotated-node.ts';

const passphrase = 'correct horse battery';

describe('a rotation goes to another control plane', () => {
  const cleanUps: (() => void)[] = [];
  let made: Promise<{ readonly before: Tree; readonly prepared: Tree }> | undefined;
  after(() => {
    for (const cleanUp of cleanUps) cleanUp();
  });

  async function twoNodes(t: Cleanup): Promise<{ readonly first: Tree; readonly second: Tree }> {
    made ??= make({ after: (cleanUp) => cleanUps.push(cleanUp) });
    const { before, prepared } = await made;
    return { first: copy(prepared, t), second: copy(before, t) };
  }

  async function make(t: Cleanup): Promise<{ before: Tree; prepared: Tree }> {
    const prepared = await freshNode(t);
    const before = copy(prepared, t);
    await done(prepared.directory, 'rotate', 'prepare', ...unasked);
    return { before, prepared };
  }

  test('with the keys, and what both have is the same', async (t) => {
    const { first, second } = await twoNodes(t);
    for (const { directory } of [first, second]) {
      writeFileSync(join(directory, 'passphrase'), `${passphrase}\n`, { mode: 0o600 });
    }
    const withPassphrase = ['--passphrase-file', '/passphrase'];
    const exported = await done(
      first.directory,
      'rotate',
      'export',
      '/r.tar',
      '--with-keys',
      ...withPassphrase,
    );
    const file = join(first.directory, 'r.tar');
    assert.equal(statSync(file).mode & 0o7777, 0o600);
    const sum = execFileSync('sha256sum', [file]).toString().slice(0, 64);
    assert.match(exported.stdout, new RegExp(`^SHA-256 ${sum}$`, 'm'));
    cpSync(file, join(second.directory, 'r.tar'));

    const before = snapshot(second.directory);
    const tried = await done(
      second.directory,
      'rotate',
      'prepare',
      '--import',
      '/r.tar',
      '--dry-run',
      ...withPassphrase,
    );
    assert.match(tried.stdout, /nothing was changed \(--dry-run\)/);
    assert.deepEqual(changes(before, snapshot(second.directory)), []);

    const imported = await done(
      second.directory,
      'rotate',
      'prepare',
      '--import',
      '/r.tar',
      ...withPassphrase,
    );
    assert.match(imported.stderr, new RegExp(`SHA-256 ${sum}`));
    const kept = (tree: Tree): string => join(tree.certDir, '.kubepki/rotation');
    // What the operator has accepted holds where it was accepted.
    const plan = JSON.parse(readFileSync(join(kept(first), 'plan.json'), 'utf8')) as object;
    assert.deepEqual(JSON.parse(readFileSync(join(kept(second), 'plan.json'), 'utf8')), {
      ...plan,
      accepted: [],
    });
    const others = changes(snapshot(kept(first)), snapshot(kept(second)));
    assert.deepEqual(
      others.filter((line) => !line.includes('plan.json')),
      [],
    );
    for (const one of [exported, tried, imported]) {
      assert.doesNotMatch(`${one.stdout}${one.stderr}`, /correct|PRIVATE/);
    }
    const again = await done(second.directory, 'rotate', 'prepare', '--import', '/r.tar', ...withPassphrase);
    assert.match(again.stdout, /has the rotation [0-9a-f]{16} already/);
    const { stdout } = await done(second.directory, 'rotate');
    assert.match(stdout, /trust/);
  });

  test('without the keys it is public, and the node is told what it lacks', async (t) => {
    const { first, second } = await twoNodes(t);
    await done(first.directory, 'rotate', 'export', '/r.tar');
    const file = join(first.directory, 'r.tar');
    assert.equal(statSync(file).mode & 0o7777, 0o644);
    assert.equal(readFileSync(file).includes('PRIVATE KEY'), false);
    cpSync(file, join(second.directory, 'r.tar'));
    const { stderr } = await done(second.directory, 'rotate', 'prepare', '--import', '/r.tar');
    assert.match(stderr, /warning: the keys of the new CAs did not come with it/);
    assert.equal(existsSync(join(second.certDir, '.kubepki/rotation/ca.next.key')), false);
  });

  test('and to no other node, nor in another form', async (t) => {
    const { first, second } = await twoNodes(t);
    await done(first.directory, 'rotate', 'export', '/r.tar');
    cpSync(join(first.directory, 'r.tar'), join(second.directory, 'r.tar'));
    const refused = async (tree: Tree, message: RegExp, ...args: string[]): Promise<void> => {
      const before = snapshot(tree.directory);
      const { code, stderr } = await ca(tree.directory, 'rotate', ...args);
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.deepEqual(changes(before, snapshot(tree.directory)), []);
    };
    await refused(first, /r\.tar: is there already/, 'export', '/r.tar');
    // No passphrase is read for nothing.
    await refused(
      first,
      /r\.tar: is there already/,
      ...['export', '/r.tar', '--with-keys', '--passphrase-file', '/nowhere'],
    );
    await refused(first, /export writes one file/, 'export');
    await refused(second, /no rotation is prepared on this node/, 'export', '/new.tar');
    await refused(second, /no such file/, 'prepare', '--import', '/nowhere.tar');
    await refused(second, /the file says which CAs/, 'prepare', 'ca', '--import', '/r.tar');
    await refused(second, /is no tar archive/, 'prepare', '--import', '/etc/kubernetes/pki/ca.crt');
    const tar = judge(t, 'tar');
    if (tar !== undefined) {
      execFileSync(tar, ['xf', 'r.tar'], { cwd: second.directory });
      execFileSync(tar, ['cf', 'packed.tar', 'kubepki-rotation-1'], { cwd: second.directory });
      await refused(
        second,
        /packed\.tar: .*(?:packed anew|something else than files)/,
        'prepare',
        '--import',
        '/packed.tar',
      );
    }
    rmSync(join(second.certDir, 'ca.key'));
    await refused(second, /r\.tar: is for a control plane/, 'prepare', '--import', '/r.tar');
  });

  test('the passphrase is asked for, and shown nowhere', async (t) => {
    const { first } = await twoNodes(t);
    const command = `${kubepkiLine} ca rotate export /r.tar --with-keys --rootfs '${first.directory}'`;
    const screen = terminal(t, command, { columns: 200 });
    if (screen === undefined) return;
    await screen.wrote(/Passphrase of the keys: /);
    screen.type(passphrase, 'Enter');
    await screen.wrote(/The same again: /);
    screen.type(passphrase, 'Enter');
    const all = await screen.wrote(/SHA-256 [0-9a-f]{64}[^]*exit=0/);
    assert.doesNotMatch(all, /correct/);
  });
});

function copy({ directory }: Tree, t: Cleanup): Tree {
  const to = temporaryDirectory(t);
  cpSync(directory, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  const kubeconfigDir = join(to, 'etc/kubernetes');
  return { directory: to, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
}
