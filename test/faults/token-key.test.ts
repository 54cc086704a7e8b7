/** A stage of the service-account key is killed at a call: then the node is before it or after it, and the same command goes on. */
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { kubepkiInProcess as kubepki } from '../support/in-process.ts';
import { judge } from '../support/judge.ts';
import { copyFixtureTo, temporaryDirectory } from '../support/tree.ts';
import { requireTidy } from './invariants.ts';
import { forEachParallel } from './pool.ts';
import { seeded } from './sample.ts';
import { copyOf, inject, pointsOf, treeAt, type Scenario } from './scenario.ts';

const killed = { kind: 'killed', effect: 'signal=SIGKILL' } as const;

const words = ['--accept', 'manifests,api-servers,signers,controller-managers,secrets'];
const stages = [
  ['trust', 'none', 'trust'],
  ['switch', 'trust', 'switch'],
  ['finish', 'switch', 'finish'],
] as const;
const all = [...words, '--accept', 'refreshed-tokens,stale-tokens,extended-tokens', '--offline'];

/** The stage at which a node is, from what its files hold, read by node and by nothing of ours. */
function stageAt(directory: string): string {
  const { certDir } = treeAt(directory);
  const text = (name: string): string => {
    const path = join(certDir, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const publicOf = (pem: string): string =>
    pem === ''
      ? ''
      : createPublicKey(createPrivateKey(pem)).export({ format: 'pem', type: 'spki' }).toString();
  const known = text('sa.pub').match(/-----BEGIN[^]*?-----END [A-Z ]+-----\n/g) ?? [];
  const [signs, next, old] = ['sa.key', '.kubepki/token-key/next.key', '.kubepki/token-key/old.key'].map(
    (name) => publicOf(text(name)),
  );
  assert.equal(known[0], signs, 'kubeadm takes the first of sa.pub for the key that signs');
  const others = known.slice(1).join();
  if (others === '' && next === '') return old === '' ? 'none' : 'finish';
  if (others === next && old === '') return 'trust';
  assert.deepEqual([others, next], [old, ''], 'the files of a node go together');
  return 'switch';
}

async function laidAt(t: TestContext, before: string): Promise<Scenario['lay']> {
  const directory = join(temporaryDirectory(t), 'node');
  copyFixtureTo('v1.35-stacked-etcd-p384', directory);
  for (const [stage] of stages) {
    if (stageAt(directory) === before) break;
    const { code, stderr } = await kubepki(['sa', 'rotate', stage, ...all, '--rootfs', directory]);
    assert.equal(code, 0, stderr);
  }
  assert.equal(stageAt(directory), before);
  return copyOf(directory);
}

describe('killed at any call, a stage is made or not, and is made by the same command', () => {
  for (const [stage, before, after] of stages) {
    test(stage, async (t) => {
      const strace = judge(t, 'strace');
      if (strace === undefined) return;
      const scenario: Scenario = {
        name: `sa rotate ${stage}`,
        lay: await laidAt(t, before),
        group: ['sa'],
        command: ['rotate', stage, ...all],
      };
      const points = await pointsOf(t, strace, scenario);
      const chosen = seeded(points, { all: 24, short: 8 });
      const scratch = temporaryDirectory(t);
      const states = new Map<string, number>();
      await forEachParallel([...chosen.entries()], async ([index, point]) => {
        const directory = join(scratch, `kill-${String(index)}`);
        const run = await inject(strace, scratch, directory, scenario, point, points, killed);
        const where = `${scenario.name} killed at ${point.line}`;
        assert.equal(run.signal, 'SIGKILL', where);
        assert.equal((await kubepki(['certs', 'recover', '--rootfs', directory])).code, 0, where);
        const state = stageAt(directory);
        assert.ok(state === before || state === after, `${where}: ${state}`);
        states.set(state, (states.get(state) ?? 0) + 1);
        requireTidy(treeAt(directory));
        const again = await kubepki(['sa', 'rotate', stage, ...all, '--rootfs', directory]);
        assert.equal(again.code, 0, `${where}: ${again.stderr}`);
        assert.equal(stageAt(directory), after, where);
        rmSync(directory, { recursive: true });
      });
      t.diagnostic(
        `${String(chosen.length)} kill points in sa rotate ${stage}: ${JSON.stringify([...states])}`,
      );
      assert.deepEqual([...states.keys()].sort(), [before, after].sort());
    });
  }
});
