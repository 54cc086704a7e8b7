/**
 * A stage of `ca rotate`, or a worker's `ca trust`, is killed at a call, where nothing runs: then it is made or not, no key of a CA is
 * lost, and the same command makes it.
 */
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test, type TestContext } from 'node:test';
import { unasked } from '../../cli/ca-rotate/rotated-node.ts';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { credentialsOf } from '../../support/rotation/components/api-client.ts';
import { certificatesIn } from '../../support/rotation/components/pem.ts';
import { changes, snapshot, temporaryDirectory } from '../../support/tree.ts';
import { requireSound, requireTidy } from '../invariants.ts';
import { forEachParallel } from '../pool.ts';
import { recoverHere } from '../recover.ts';
import { seeded, type Amount } from '../sample.ts';
import { copyOf, inject, pointsOf, treeAt, type Scenario } from '../scenario.ts';
import { rotatingTrees, type Step } from './rotating-trees.ts';

const killed = { kind: 'killed', effect: 'signal=SIGKILL' } as const;

const kept = 'etc/kubernetes/pki/.kubepki/rotation';

/** What of a node differs, a line for each file, without backups. The kubelet's new certificate is called after the time. */
function differing(before: string, now: string): readonly string[] {
  const files = (directory: string): ReturnType<typeof snapshot> =>
    new Map(
      [...snapshot(directory)].filter(
        ([path, { type }]) => type !== 'directory' && !path.includes('.kubepki/backups/'),
      ),
    );
  return changes(files(before), files(now)).map((line) =>
    line.replace(/kubelet-client-\d{4}-[\d-]+/g, 'kubelet-client-DATE'),
  );
}

/** The certificates of CAs that are in use on a node, or kept for the rotation. */
function authoritiesOf(directory: string): readonly X509Certificate[] {
  const { certDir } = treeAt(directory);
  const inUse = ['ca', 'etcd/ca', 'front-proxy-ca'].map((name) => join(certDir, `${name}.crt`));
  const prepared = namesIn(join(directory, kept)).map((name) => join(directory, kept, name));
  return [...inUse, ...prepared.filter((path) => path.endsWith('.crt'))].flatMap((path) =>
    existsSync(path) ? certificatesIn(readFileSync(path)) : [],
  );
}

/** The keys of CAs that a node has, as their public halves, without backups. */
function keysOf(directory: string): ReadonlySet<string> {
  const { certDir } = treeAt(directory);
  const directories = [certDir, join(certDir, 'etcd'), join(directory, kept)];
  return new Set(
    directories.flatMap((one) =>
      namesIn(one)
        .filter((name) => /(?:ca|next|old)\.key$/.test(name))
        .map((name) => shown(createPublicKey(createPrivateKey(readFileSync(join(one, name)))))),
    ),
  );
}

function namesIn(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

function shown(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'spki' }).toString();
}

/** @param before a node that had the keys of its CAs; a worker has none */
function requireKeys(before: string, now: string, where: string): void {
  if (keysOf(before).size === 0) return;
  const keys = keysOf(now);
  for (const certificate of [...authoritiesOf(before), ...authoritiesOf(now)])
    assert.ok(keys.has(shown(certificate.publicKey)), `${where}: the key of ${certificate.subject} is lost`);
}

/** Which of them is on a node: none, all, or what `trust` does in a change of its own first. */
function stateOf({ before, after }: Step, now: string, where: string): 'old' | 'new' | 'signing file' {
  const found = differing(before, now);
  if (found.length === 0) return 'old';
  const whole = differing(before, after);
  const first = whole.filter((line) => /kube-controller-manager\.yaml|cluster-signing-ca\.crt/.test(line));
  if (first.length > 0 && found.join() === first.join()) return 'signing file';
  assert.deepEqual(found, whole, where);
  return 'new';
}

const ofStage: Amount = { all: 10, short: 2 };
/** It is the same change by the same code. */
const ofWorker: Amount = { all: 3, short: 1 };

const steps: readonly (readonly [name: string, amount: Amount, between?: ReturnType<typeof stateOf>])[] = [
  ['prepare', ofStage],
  ['trust', ofStage, 'signing file'],
  ['switch', ofStage],
  ['distrust', ofStage],
  ['finish', ofStage],
  ['ca trust: prepare', ofWorker],
  ['ca trust: trust', ofWorker],
  ['ca trust: switch', ofWorker],
  ['ca trust: distrust', ofWorker],
];

describe('killed at any call', () => {
  // They are made once.
  const cleanUps: (() => void)[] = [];
  let made: ReturnType<typeof rotatingTrees> | undefined;
  after(() => {
    for (const cleanUp of cleanUps) cleanUp();
  });

  async function kill(
    t: TestContext,
    name: string,
    amount: Amount,
    /** Sees what is left of the node, before any other command. */
    judgeNode: (step: Step, directory: string, where: string, scratch: string) => Promise<void>,
  ): Promise<void> {
    const [strace, openssl] = [judge(t, 'strace'), judge(t, 'openssl')];
    if (strace === undefined || openssl === undefined) return;
    made ??= rotatingTrees({ after: (cleanUp) => cleanUps.push(cleanUp) }, openssl);
    const step = (await made).get(name);
    assert.ok(step);
    const scenario: Scenario = { name, lay: copyOf(step.before), group: ['ca'], command: step.command };
    const points = await pointsOf(t, strace, scenario);
    assert.ok(points.length > 20, `only ${String(points.length)} calls: the trace is not read right`);
    const chosen = seeded(points, amount);
    const scratch = temporaryDirectory(t);
    await forEachParallel([...chosen.entries()], async ([index, point]) => {
      const directory = join(scratch, `kill-${String(index)}`);
      const run = await inject(strace, scratch, directory, scenario, point, points, killed);
      const where = `${name}, killed at ${point.line}`;
      assert.equal(run.signal, 'SIGKILL', where);
      await judgeNode(step, directory, where, join(scratch, `sound-${String(index)}`));
      rmSync(directory, { recursive: true });
    });
    t.diagnostic(`${String(chosen.length)} of ${String(points.length)} kill points in ${name}`);
  }

  test('finish with the old keys destroyed: the others are left, and the same command ends it', async (t) => {
    await kill(t, 'the end', ofStage, async (step, directory, where, scratch) => {
      const old = [...keysOf(step.before)].filter((key) => !keysOf(step.after).has(key));
      assert.equal(old.length, 3);
      const changed = differing(step.before, directory).filter((line) => !line.includes('.kubepki/'));
      assert.deepEqual(changed, [], where);
      const isOver = !existsSync(join(directory, kept, 'plan.json'));
      const { code, stdout, stderr } = await kubepki(['ca', ...step.command, '--rootfs', directory]);
      // Only what is under way can be ended.
      assert.equal(code, isOver ? 1 : 0, `${where}: ${stdout}${stderr}`);
      const keys = keysOf(directory);
      assert.ok(!old.some((key) => keys.has(key)), `${where}: an old key is left`);
      requireWell(step, directory, where, scratch);
      const lost = authoritiesOf(step.after).filter(({ publicKey }) => !keys.has(shown(publicKey)));
      assert.deepEqual(lost.map(String), [], where);
      // What is left beside, certificates of what is over, is in the way of nothing.
      if (isOver) {
        const next = await kubepki(['ca', 'rotate', 'prepare', ...unasked, '--rootfs', directory]);
        assert.equal(next.code, 0, `${where}: ${next.stderr}`);
      }
    });
  });

  for (const [name, amount, between] of steps) {
    test(`${name}: it is made or not, and is made by the same command`, async (t) => {
      const found = new Map<string, number>();
      await kill(t, name, amount, async (step, directory, where, scratch) => {
        const recovered = `${directory}-recovered`;
        cpSync(directory, recovered, { recursive: true, verbatimSymlinks: true });
        await recoverHere(treeAt(recovered));
        const state = stateOf(step, recovered, where);
        found.set(state, (found.get(state) ?? 0) + 1);
        requireWell(step, recovered, where, scratch);
        requireKeys(step.before, recovered, where);
        rmSync(recovered, { recursive: true });
        // It recovers by itself.
        const { code, stdout, stderr } = await kubepki(['ca', ...step.command, '--rootfs', directory]);
        assert.equal(code, 0, `${where}: ${stdout}${stderr}`);
        assert.equal(stateOf(step, directory, where), 'new', where);
        requireWell(step, directory, where, scratch);
        requireKeys(step.before, directory, where);
      });
      t.diagnostic(JSON.stringify([...found]));
      const isFound = (state: ReturnType<typeof stateOf>): boolean => found.has(state);
      assert.ok(!isFound('signing file') || between === 'signing file', name);
      // Many are never all of one.
      const count = [...found.values()].reduce((sum, one) => sum + one, 0);
      if (count >= ofStage.all) assert.ok(isFound('old') && isFound('new'), name);
    });
  }
});

function requireWell(step: Step, directory: string, where: string, scratch: string): void {
  try {
    requireSound(treeAt(directory), scratch, step.name.startsWith('ca trust') ? 0 : 11);
    requireKubelet(directory);
    requireTidy(treeAt(directory));
  } catch (cause) {
    throw new Error(`${where}: ${String(cause)}`, { cause });
  }
}

/** The kubelet's certificate is of a CA that is trusted on the node, has its key, and trusts what ca.crt holds. */
function requireKubelet(directory: string): void {
  const { kubeconfigDir, certDir } = treeAt(directory);
  const { ca, certificate, key } = credentialsOf(join(kubeconfigDir, 'kubelet.conf'), directory);
  const trusted = readFileSync(join(certDir, 'ca.crt'));
  const set = (pem: Buffer): readonly string[] => certificatesIn(pem).map(String).sort();
  assert.deepEqual(set(ca), set(trusted));
  const leaf = new X509Certificate(certificate);
  assert.ok(leaf.checkPrivateKey(createPrivateKey(key)));
  assert.ok(
    certificatesIn(trusted).some((issuer) => leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey)),
  );
}
