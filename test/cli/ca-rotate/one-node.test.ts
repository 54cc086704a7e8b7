import assert from 'node:assert/strict';
import { chmodSync, cpSync, lstatSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { judge } from '../../support/judge.ts';
import { kubepkiInProcess } from '../../support/in-process.ts';
import { changes, snapshot, temporaryDirectory, type Cleanup, type Tree } from '../../support/tree.ts';
import {
  accepted,
  ca,
  copiesOf,
  done,
  freshNode,
  isTakenBy,
  liveStages,
  rotatedNode,
  stage,
  unasked,
} from './rotated-node.ts';

const leaves = [
  ['ca', 'apiserver.crt', 'sslserver'],
  ['ca', 'apiserver-kubelet-client.crt', 'sslclient'],
  ['etcd-ca', 'etcd/server.crt', 'sslserver'],
  ['etcd-ca', 'etcd/peer.crt', 'sslclient'],
  ['etcd-ca', 'apiserver-etcd-client.crt', 'sslclient'],
  ['front-proxy-ca', 'front-proxy-client.crt', 'sslclient'],
] as const;

/** Who trusts what a node shows, by invariant I1: both neighbours of a stage must. */
const takenBy = {
  prepare: { old: true, next: false },
  trust: { old: true, next: false },
  switch: { old: true, next: true },
  distrust: { old: true, next: true },
  finish: { old: false, next: true },
} as const;

function at(nodes: Readonly<Record<string, Tree>>, name: string): Tree {
  const tree = nodes[name];
  assert.ok(tree);
  return tree;
}

function files(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => lstatSync(path).isFile());
}

/** The changes but for the state directory, where backups are. */
function changesBesideState(before: Tree, after: Tree): readonly string[] {
  return changes(snapshot(before.directory), snapshot(after.directory)).filter(
    (line) => !line.includes('.kubepki'),
  );
}

describe('a rotation of all three CAs on one node', () => {
  // It is made once; each test has copies of its own.
  const cleanUps: (() => void)[] = [];
  let made: Promise<Readonly<Record<string, Tree>>> | undefined;
  const rotated = async (t: Cleanup): Promise<Readonly<Record<string, Tree>>> => {
    made ??= rotatedNode({ after: (cleanUp) => cleanUps.push(cleanUp) });
    return copiesOf(await made, t);
  };
  after(() => {
    for (const cleanUp of cleanUps) cleanUp();
  });

  test('at each stage verify finds no error, and openssl takes what is to be taken', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const nodes = await rotated(t);
    const material = join(at(nodes, 'prepare').certDir, '.kubepki/rotation');
    for (const [name, { old, next }] of Object.entries(takenBy)) {
      const { directory, certDir } = at(nodes, name);
      const { stdout } = await kubepkiInProcess(['verify', '--rootfs', directory]);
      assert.doesNotMatch(stdout, /^ERROR/m, name);
      for (const [authority, leaf, purpose] of leaves) {
        const file = join(certDir, leaf);
        const found = (['old', 'next'] as const).map((which): boolean =>
          isTakenBy(openssl, join(material, `${authority}.${which}.crt`), file, purpose),
        );
        assert.deepEqual(found, [old, next], `${name}: ${leaf}`);
      }
    }
  });

  test('prepare changes nothing that is in use, and finish leaves a node as kubeadm has it', async (t) => {
    const nodes = await rotated(t);
    assert.deepEqual(changesBesideState(at(nodes, 'before'), at(nodes, 'prepare')), []);
    const [before, after] = [at(nodes, 'before'), at(nodes, 'finish')];
    const names = ({ directory }: Tree): string[] =>
      files(directory)
        .map((path) => path.slice(directory.length))
        .filter((path) => !path.includes('.kubepki'))
        .sort();
    assert.deepEqual(names(after), names(before));
    const manifest = 'manifests/kube-controller-manager.yaml';
    assert.equal(
      readFileSync(join(after.kubeconfigDir, manifest), 'utf8'),
      readFileSync(join(before.kubeconfigDir, manifest), 'utf8'),
    );
    for (const path of files(after.directory).filter((one) => /\.(?:key|conf)$/.test(one))) {
      assert.equal(lstatSync(path).mode & 0o077, 0, path);
    }
  });

  test('each stage is taken back, and then all is as it was', async (t) => {
    const nodes = await rotated(t);
    const { directory } = at(nodes, 'finish');
    for (const name of ['distrust', 'switch', 'trust', 'prepare', 'before']) {
      await done(directory, 'rollback', '--accept', 'nodes', '--offline');
      assert.deepEqual(changesBesideState(at(nodes, name), at(nodes, 'finish')), [], name);
    }
    const { stderr: none } = await ca(directory, 'rollback', '--accept', 'nodes', '--offline');
    assert.match(none, /no rotation is prepared on this node/);
  });

  test('a mix of two neighbouring stages is told, and the same command again ends it', async (t) => {
    const nodes = await rotated(t);
    const order = ['prepare', ...liveStages];
    // Each file alone stays behind once; the files of a pair stay together, as one transaction has them.
    const alone = ['ca.crt', 'etcd/ca.crt', 'front-proxy-ca.crt', '../admin.conf', '../scheduler.conf'];
    for (const [index, later] of liveStages.entries()) {
      if (later === 'finish') continue;
      const earlier = order[index] ?? '';
      for (const name of alone) {
        const copy = join(temporaryDirectory(t), 'node');
        cpSync(at(nodes, later).directory, copy, { recursive: true, verbatimSymlinks: true });
        cpSync(join(at(nodes, earlier).certDir, name), join(copy, 'etc/kubernetes/pki', name));
        if (later === 'switch' && name.startsWith('..')) continue;
        // With two CAs in it, ca.crt must not be what signs: kubeadm alone would have the two so.
        const manifest = '../manifests/kube-controller-manager.yaml';
        if (later === 'distrust' && name === 'ca.crt')
          cpSync(join(at(nodes, earlier).certDir, manifest), join(copy, 'etc/kubernetes/pki', manifest));
        const { stdout } = await done(copy, 'status', '--offline');
        assert.match(
          stdout,
          new RegExp(`: (?:between ${earlier} and ${later}:|at ${earlier}$)`, 'm'),
          `${later}: ${name}`,
        );
        await stage(copy, later);
        const { stdout: after } = await done(copy, 'status', '--offline');
        assert.doesNotMatch(after, new RegExp(`between|at ${earlier}$`, 'm'), `${later}: ${name}`);
      }
    }
  });

  test('the old keys are nowhere once they are destroyed, and nothing else is lost', async (t) => {
    const nodes = await rotated(t);
    const { directory, certDir } = at(nodes, 'finish');
    const { id } = JSON.parse(readFileSync(join(certDir, '.kubepki/rotation/plan.json'), 'utf8')) as {
      id: string;
    };
    const old = ['ca.key', 'etcd/ca.key', 'front-proxy-ca.key'].map((name) =>
      readFileSync(join(at(nodes, 'before').certDir, name), 'utf8').trim(),
    );
    const holding = (): string[] =>
      files(directory).filter((path) => old.some((key) => readFileSync(path, 'latin1').includes(key)));
    assert.ok(holding().length >= 3);
    const { code: refused } = await ca(
      directory,
      'rotate',
      'finish',
      '--destroy-old-key',
      '0123456789abcdef',
    );
    assert.equal(refused, 1);
    assert.ok(holding().length >= 3);
    const { stderr: last } = await done(directory, 'rotate', '--offline');
    assert.ok(last.includes(`ca rotate finish --destroy-old-key ${id} --rootfs`), last);
    // What a node has said in another rotation is not told of this one.
    const { stdout: own } = await done(directory, 'status', '--offline', '-o', 'json');
    const foreign = { ...(JSON.parse(own) as object), node: 'worker-1' };
    for (const [as, isTold] of [
      [id, true],
      ['0123456789abcdef', false],
    ] as const) {
      writeFileSync(join(directory, 'says.json'), JSON.stringify(foreign).replace(id, as));
      const { stdout: told } = await done(directory, 'rotate', '--offline', '--from', '/says.json');
      assert.equal(told.includes('worker-1'), isTold, told);
    }
    const before = snapshot(directory);
    await done(directory, 'rotate', 'finish', '--destroy-old-key', id);
    assert.deepEqual(holding(), []);
    assert.deepEqual(
      changes(before, snapshot(directory)).filter((line) => !line.includes('.kubepki')),
      [],
    );
    const { stdout } = await done(directory, 'rotate');
    assert.match(stdout, /no rotation is prepared/);
  });
});

describe('a stage that must not begin', () => {
  test('nothing is changed before its conditions are met, and each is named', async (t) => {
    const { directory } = await freshNode(t);
    await done(directory, 'rotate', 'prepare', ...unasked);
    const before = snapshot(directory);
    const tooEarly = await ca(directory, 'rotate', 'switch', '--offline', '--accept', accepted);
    assert.equal(tooEarly.code, 1);
    assert.match(tooEarly.stderr, /not that far with ca: at prepare\nhint: .*ca rotate trust/);
    const waiting = await ca(directory, 'rotate', 'trust', '--offline');
    assert.equal(waiting.code, 1);
    assert.match(waiting.stdout, /^not measured +signing-file: /m);
    assert.match(waiting.stderr, /hint: .*--accept signing-file/);
    const unknown = await ca(directory, 'rotate', 'trust', '--offline', '--accept', 'sining-file');
    assert.equal(unknown.code, 1);
    assert.match(
      unknown.stderr,
      /unknown condition "sining-file"\nhint: did you mean: .* --accept signing-file /,
    );
    const dry = await ca(directory, 'rotate', 'trust', '--offline', '--accept', accepted, '--dry-run');
    assert.equal(dry.code, 0);
    assert.deepEqual(changes(before, snapshot(directory)), []);
  });

  test('prepare waits for etcd, and remembers what was accepted in its place', async (t) => {
    const { directory, certDir } = await freshNode(t);
    const before = snapshot(directory);
    const waiting = await ca(directory, 'rotate', 'prepare', 'ca');
    assert.equal(waiting.code, 1);
    assert.match(
      waiting.stdout,
      /^not measured +etcd-quorum: .*\n +the etcd of another root is not asked\n$/,
    );
    assert.match(
      waiting.stderr,
      /nothing was changed: prepare waits for etcd-quorum\nhint: .*--accept etcd-quorum/,
    );
    const offline = await ca(directory, 'rotate', 'prepare', 'ca', '--offline');
    assert.match(offline.stdout, /etcd was not asked \(--offline\)/);
    assert.deepEqual(changes(before, snapshot(directory)), []);
    await done(directory, 'rotate', 'prepare', 'ca', ...unasked);
    const { accepted: words } = JSON.parse(
      readFileSync(join(certDir, '.kubepki/rotation/plan.json'), 'utf8'),
    ) as { accepted: { condition: string; stage: string }[] };
    assert.deepEqual(
      words.map(({ condition, stage: of }) => [condition, of]),
      [['etcd-quorum', 'prepare']],
    );
  });

  test('a file of no stage keeps a node from going on, and is named', async (t) => {
    const { directory, certDir } = await freshNode(t);
    await done(directory, 'rotate', 'prepare', ...unasked);
    cpSync(join(certDir, 'etcd/ca.crt'), join(certDir, 'front-proxy-ca.crt'));
    const { code, stderr } = await ca(directory, 'rotate', 'trust', '--offline', '--accept', accepted);
    assert.equal(code, 1);
    assert.match(stderr, /front-proxy-ca\.crt: holds neither the old nor the new CA/);
  });

  test('the new key is closed, where the old one could be read by all', async (t) => {
    const { directory, certDir } = await freshNode(t);
    chmodSync(join(certDir, 'front-proxy-ca.key'), 0o644);
    await done(directory, 'rotate', 'prepare', 'front-proxy-ca', '--offline', ...unasked);
    await stage(directory, 'trust');
    await stage(directory, 'switch');
    assert.equal(lstatSync(join(certDir, 'front-proxy-ca.key')).mode & 0o777, 0o600);
  });

  test('one rotation at a time', async (t) => {
    const { directory } = await freshNode(t);
    await done(directory, 'rotate', 'prepare', 'etcd-ca', ...unasked);
    const again = await ca(directory, 'rotate', 'prepare');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /a rotation is under way already/);
    const other = await ca(directory, 'rotate', 'trust', 'ca', '--offline');
    assert.match(other.stderr, /ca is not replaced in this rotation/);
  });

  test('prepare again has nothing left to do, until something of it is in use', async (t) => {
    const { directory, certDir } = await freshNode(t);
    await done(directory, 'rotate', 'prepare', 'etcd-ca', 'front-proxy-ca', ...unasked);
    const { id } = JSON.parse(readFileSync(join(certDir, '.kubepki/rotation/plan.json'), 'utf8')) as {
      id: string;
    };
    const before = snapshot(directory);
    const again = await done(directory, 'rotate', 'prepare', 'front-proxy-ca', 'etcd-ca', ...unasked);
    assert.match(again.stdout, new RegExp(`^the rotation ${id} is prepared already, since `));
    assert.match(
      again.stdout,
      /^etcd-ca: a new CA is prepared, and not in use\n {2}the new CA is CN=etcd-ca-/m,
    );
    assert.match(again.stderr, /hint: what is next: /);
    const document = await done(directory, 'rotate', 'prepare', 'etcd-ca', 'front-proxy-ca', '-o', 'json');
    const { certificates } = JSON.parse(document.stdout) as { certificates: { outcome: string }[] };
    assert.deepEqual(
      certificates.map(({ outcome }) => outcome),
      ['unchanged', 'unchanged'],
    );
    assert.deepEqual(changes(before, snapshot(directory)), []);
    const refused = async (...args: readonly string[]): Promise<void> => {
      const { code, stderr } = await ca(directory, 'rotate', 'prepare', ...args);
      assert.equal(code, 1);
      assert.match(stderr, /a rotation is under way already/);
    };
    await refused();
    await refused('etcd-ca');
    // The key of what was prepared here is here: it was not brought.
    const old = join(certDir, 'front-proxy-ca.crt');
    cpSync(old, join(directory, 'other.crt'));
    await refused('front-proxy-ca', 'etcd-ca', '--ca-cert', '/other.crt', '--cross-cert', '/other.crt');
    await stage(directory, 'trust');
    await refused('etcd-ca', 'front-proxy-ca');
  });
});
