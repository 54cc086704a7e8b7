/** What `ca rotate` and `ca rollback` must not do, however they are asked. */
import assert from 'node:assert/strict';
import { chownSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { kubepkiInProcess } from '../../support/in-process.ts';
import type { Cleanup, Tree } from '../../support/tree.ts';
import { accepted, ca, copiesOf, done, freshNode, stage, unasked } from './rotated-node.ts';

const word = ['--offline', '--accept', accepted];

function rotationOf({ certDir }: Tree): string {
  return join(certDir, '.kubepki/rotation');
}

function idOf(tree: Tree): string {
  const plan = readFileSync(join(rotationOf(tree), 'plan.json'), 'utf8');
  return /"id": "([0-9a-f]+)"/.exec(plan)?.[1] ?? '';
}

describe('a rotation that is asked for in other ways', () => {
  const cleanUps: (() => void)[] = [];
  let made: Promise<Tree> | undefined;
  /** At `trust`. */
  const trusting = async (t: Cleanup): Promise<Tree> => {
    made ??= (async () => {
      const tree = await freshNode({ after: (cleanUp) => cleanUps.push(cleanUp) });
      await done(tree.directory, 'rotate', 'prepare', ...unasked);
      await stage(tree.directory, 'trust');
      return tree;
    })();
    const { copy } = copiesOf({ copy: await made }, t);
    assert.ok(copy);
    return copy;
  };
  after(() => {
    for (const cleanUp of cleanUps) cleanUp();
  });

  test('the keys are destroyed when the last CA is at finish, and not before', async (t) => {
    const tree = await trusting(t);
    const { directory } = tree;
    for (const name of ['switch', 'distrust']) await stage(directory, name, 'front-proxy-ca');
    const id = idOf(tree);
    const destroy = ['rotate', 'finish', 'front-proxy-ca', '--destroy-old-key', id, ...word];
    const files = readdirSync(rotationOf(tree));
    for (const again of [['--dry-run'], []]) {
      const refused = await ca(directory, ...destroy, ...again);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /no key is destroyed before this node is at finish with ca, etcd-ca/);
    }
    assert.deepEqual(readdirSync(rotationOf(tree)), files);
    const { stderr } = await stage(directory, 'finish', 'front-proxy-ca');
    assert.doesNotMatch(stderr, /--destroy-old-key/);
    assert.equal((await ca(directory, ...destroy)).code, 1);
    const { stderr: next } = await ca(directory, 'rotate', '--offline');
    assert.ok(next.includes('ca rotate switch ca etcd-ca --rootfs'), next);
    for (const name of ['switch', 'distrust']) await stage(directory, name, 'ca', 'etcd-ca');
    await stage(directory, 'finish', 'ca', 'etcd-ca', '--destroy-old-key', id);
    const { stdout } = await ca(directory, 'status', '--offline');
    assert.match(stdout, /no rotation is prepared here/);
    const over = await kubepkiInProcess(['certs', 'rollback', '--rootfs', directory]);
    assert.match(over.stderr, /^hint: that rotation is over, and nothing takes it back/m);
  });

  test('another id changes nothing', async (t) => {
    const tree = await trusting(t);
    for (const name of ['switch', 'distrust']) await stage(tree.directory, name);
    const { code, stderr } = await ca(
      ...([tree.directory, 'rotate', 'finish', '--destroy-old-key', '0123456789abcdef'] as const),
      ...word,
    );
    assert.equal(code, 1);
    assert.match(stderr, /is not the id of this rotation/);
    assert.match((await ca(tree.directory, 'rotate', '--offline')).stdout, /is at distrust/);
  });

  test('a stage is known for what it is where flags stand before it', async (t) => {
    const { directory } = await trusting(t);
    await done(directory, 'rotate', ...word, 'switch');
    const { stderr } = await kubepkiInProcess(['certs', 'rollback', '--rootfs', directory]);
    assert.match(stderr, /is of "switch", a stage of a rotation of CAs/);
    const back = await done(directory, 'rollback', '--accept', 'nodes', '--offline');
    assert.match(back.stderr, /^note: restart the kubelet to use what has come back$/m);
    assert.match(back.stderr, /^note: back at trust: each node that is at switch goes back too/m);
    assert.match((await ca(directory, 'rotate', '--offline')).stdout, /is at trust/);
  });

  test('no stage is taken back below certificates of the new CA', async (t) => {
    const tree = await trusting(t);
    const { directory, certDir } = tree;
    await stage(directory, 'switch');
    const backups = join(certDir, '.kubepki/backups');
    const newest = readdirSync(backups).sort().at(-1) ?? '';
    rmSync(join(backups, newest), { recursive: true });
    const { code, stderr } = await ca(directory, 'rollback', '--accept', 'nodes', '--offline');
    assert.equal(code, 1);
    assert.match(stderr, /apiserver\.crt holds a certificate of the new CA.*not taken back with trust/);
  });

  test('a flag of another stage is an error', async (t) => {
    const { directory } = await trusting(t);
    for (const [words, says] of [
      [['trust', '--import', 'x'], '--import goes with "ca rotate prepare"'],
      [['distrust', '--destroy-old-key', 'x'], '--destroy-old-key goes with "ca rotate finish"'],
      [['--with-keys'], '--with-keys goes with "ca rotate export"'],
    ] as const) {
      const { code, stderr } = await ca(directory, 'rotate', ...words);
      assert.equal(code, 1);
      assert.ok(stderr.includes(says), stderr);
    }
    const { stderr } = await ca(directory, 'rollback', '--accept', 'nods');
    assert.match(stderr, /unknown condition "nods"/);
  });

  test('of servers that nothing tells of it is not said that all are well', async (t) => {
    const { directory, kubeconfigDir } = await trusting(t);
    rmSync(join(kubeconfigDir, 'manifests/kube-apiserver.yaml'));
    const { stdout } = await ca(directory, 'rotate', 'switch', '--dry-run');
    assert.match(stdout, /^not measured +accepts-new: /m);
    assert.match(stdout, /no manifest of this node tells of its kube-apiserver/);
  });

  test('the owner of the old key does not get the new one', async (t) => {
    const { directory, certDir } = await trusting(t);
    if (process.getuid?.() !== 0) {
      t.skip('only root gives files away');
      return;
    }
    const key = join(certDir, 'ca.key');
    chownSync(key, 12345, 0);
    const { code, stderr } = await ca(directory, 'rotate', 'switch', ...word);
    assert.equal(code, 1);
    assert.ok(stderr.includes(`${key}: belongs to user 12345, who would get the key of the new CA`), stderr);
  });

  test('a kubeconfig that names a CA file of its own is not left behind', async (t) => {
    const { directory, kubeconfigDir, certDir } = await trusting(t);
    const scheduler = join(kubeconfigDir, 'scheduler.conf');
    const text = readFileSync(scheduler, 'utf8');
    const naming = (path: string): void => {
      writeFileSync(
        scheduler,
        text.replace(/certificate-authority-data: .*/, `certificate-authority: ${path}`),
      );
    };
    await done(directory, 'rollback', '--offline', '--accept', 'nodes');
    cpSync(join(certDir, 'ca.crt'), join(kubeconfigDir, 'own-ca.crt'));
    naming('own-ca.crt');
    const { code, stderr } = await ca(directory, 'rotate', 'trust', ...word);
    assert.equal(code, 1);
    assert.match(stderr, /scheduler\.conf: names \S+own-ca\.crt for its CA, which lacks the new one/);
    naming('pki/ca.crt');
    await stage(directory, 'trust');
  });
});
