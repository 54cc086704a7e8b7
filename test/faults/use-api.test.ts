/** `renew --use-api`, disturbed at every call that changes a file: what was asked for is neither lost nor half put in place. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { judge } from '../support/judge.ts';
import { stateDirectory } from '../support/node.ts';
import { temporaryDirectory, type Tree } from '../support/tree.ts';
import {
  inPlace,
  pendingFiles,
  renew,
  signingNode,
  two,
  type SigningNode,
} from '../support/cluster/use-api.ts';
import { requireSound, requireTidy } from './invariants.ts';
import { forEachOn } from './pool.ts';
import { spread } from './sample.ts';
import { clear, copyOf, inject, pointsOf, treeAt, type Fault, type Scenario } from './scenario.ts';
import type { TracedRun } from './strace.ts';
import { certsInProcess as certs } from '../support/in-process.ts';

const killed = { kind: 'killed', effect: 'signal=SIGKILL' } as const;
const failed = { kind: 'failed', effect: 'error=EIO' } as const;
const interrupted = { kind: 'signalled', effect: 'signal=SIGTERM' } as const;

const flags = ['--use-api', '--approve', '--kubeconfig', '/etc/kubernetes/admin.conf'];

/** A tree and the cluster that it belongs to: what this asks for is this lane's. */
interface Lane {
  readonly node: SigningNode;
  readonly scenario: Scenario;
}

async function lanesOf(
  t: TestContext,
  name: string,
  command: readonly string[],
  prepare: (node: SigningNode) => Promise<void>,
): Promise<readonly Lane[]> {
  const lanes: Lane[] = [];
  for (let count = 0; count < 2; count += 1) {
    const node = await signingNode(t);
    if (node === undefined) return [];
    await prepare(node);
    lanes.push({
      node,
      scenario: { name, lay: copyOf(node.tree.directory), command: [...command, ...flags] },
    });
  }
  return lanes;
}

/** Both as they were, or both new. */
function stateOf({ kubeconfigDir }: Tree, before: Tree): 'old' | 'new' {
  const isSame = (name: string): boolean =>
    readFileSync(join(kubeconfigDir, name)).equals(readFileSync(join(before.kubeconfigDir, name)));
  const same = two.filter(isSame);
  assert.ok(same.length === 0 || same.length === two.length, `mixed: only ${same.join(', ')} is old`);
  return same.length === 0 ? 'new' : 'old';
}

async function disturb(
  t: TestContext,
  lanes: readonly Lane[],
  fault: Fault,
  count: number,
  judgeRun: (run: TracedRun, state: 'old' | 'new') => void,
): Promise<void> {
  const [first] = lanes;
  const strace = judge(t, 'strace');
  if (first === undefined || strace === undefined) return;
  const points = await pointsOf(t, strace, first.scenario);
  assert.ok(points.length > 40, `only ${String(points.length)} calls`);
  const scratch = temporaryDirectory(t);
  await forEachOn(lanes, [...spread(points, count).entries()], async ({ node, scenario }, [index, point]) => {
    const directory = join(scratch, String(index));
    const tree = treeAt(directory);
    const where = `${scenario.name}, ${fault.kind} at ${point.line}`;
    const asked = (): number => node.server.seen.filter(({ method }) => method === 'POST').length;
    let askedBefore = asked();
    const counting = {
      ...scenario,
      lay: (path: string): void => {
        askedBefore = asked();
        scenario.lay(path);
      },
    };
    const run = await inject(strace, scratch, directory, counting, point, points, fault);
    try {
      const recovered = await certs(tree, 'recover');
      assert.equal(recovered.code, 0, recovered.stderr);
      const state = stateOf(tree, node.tree);
      judgeRun(run, state);
      const waits = existsSync(join(stateDirectory(tree), 'pending/requests.json'));
      // A certificate may be issued for each key that the cluster has been told of.
      if (state === 'old' && !waits)
        assert.equal(asked(), askedBefore, 'a key was lost that had been asked for');
      const next = waits ? ['--resume', '--approve'] : [...two, '--approve'];
      const outcome = await renew(tree, ...next);
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.equal(stateOf(tree, node.tree), 'new');
      inPlace({ ...node, tree });
      requireSound(tree, join(scratch, `sound-${String(index)}`));
      requireTidy(tree);
      assert.deepEqual(pendingFiles(tree), []);
    } catch (cause) {
      throw new Error(`${where}\n${run.stderr}: ${String(cause)}`, { cause });
    }
    clear(scenario, directory);
  });
}

describe('renew --use-api, at any call that changes a file', () => {
  const nothing = (): Promise<void> => Promise.resolve();
  const lanes = (t: TestContext): Promise<readonly Lane[]> =>
    lanesOf(t, 'renew --use-api', ['renew', ...two], nothing);

  test('killed', async (t) => {
    await disturb(t, await lanes(t), killed, 8, ({ signal, stdout }, state) => {
      assert.equal(signal, 'SIGKILL');
      if (/ renewed$/m.test(stdout)) assert.equal(state, 'new');
    });
  });

  test('failed', async (t) => {
    await disturb(t, await lanes(t), failed, 6, ({ code, stdout }, state) => {
      const said = / renewed$/m.test(stdout);
      assert.equal(said, code === 0);
      // Half-way, recover decides (9).
      if (code !== 9) assert.equal(code === 0, state === 'new', `exit ${String(code)}, and all is ${state}`);
    });
  });

  test('interrupted', async (t) => {
    await disturb(t, await lanes(t), interrupted, 6, ({ code }) => {
      assert.equal(code, 143);
    });
  });
});

describe('renew --use-api --resume, at any call that changes a file', () => {
  test('killed', async (t) => {
    const lanes = await lanesOf(t, 'renew --use-api --resume', ['renew', '--resume'], async ({ tree }) => {
      const outcome = await renew(tree, ...two, '--timeout', '1ms');
      assert.equal(outcome.code, 1);
    });
    await disturb(t, lanes, killed, 6, ({ signal }) => {
      assert.equal(signal, 'SIGKILL');
    });
  });
});
