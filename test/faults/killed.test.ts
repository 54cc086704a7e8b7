/** Proof 1: kill -9 at every system call that changes a file, then `recover`. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { judge } from '../support/judge.ts';
import { fileChanges, snapshot, temporaryDirectory } from '../support/tree.ts';
import { requireSound, requireTidy, setState } from './invariants.ts';
import { forEachParallel } from './pool.ts';
import { sample, seeded, type Amount } from './sample.ts';
import {
  generation,
  inject,
  kubeletScenario,
  kubeletStore,
  installScenario,
  pointsOf,
  recoveryScenario,
  renewal,
  requestScenario,
  rollbackScenario,
  treeAt,
} from './scenario.ts';
import type { Scenario } from './scenario.ts';
import type { FaultPoint } from './strace.ts';
import { kubepkiInProcess as kubepki } from '../support/in-process.ts';

const killed = { kind: 'killed', effect: 'signal=SIGKILL' } as const;

interface Killed {
  readonly where: string;
  readonly stdout: string;
  /** What recover has left. */
  readonly directory: string;
}

/** Kills the command at each point, recovers, and sees that what is left is sound and tidy. */
async function killEverywhere(
  t: TestContext,
  strace: string,
  scenario: Scenario,
  points: readonly FaultPoint[],
  chosen: readonly FaultPoint[],
  /** @returns how many certificates there are; 10 if it does not say */
  judgeState: (run: Killed) => number | undefined,
): Promise<void> {
  const scratch = temporaryDirectory(t);
  await forEachParallel([...chosen.entries()], async ([index, point]) => {
    const directory = join(scratch, `kill-${String(index)}`);
    const run = await inject(strace, scratch, directory, scenario, point, points, killed);
    const where = `${scenario.name} killed at ${point.line}`;
    // strace ends as the command did: the shell's 137.
    assert.equal(run.signal, 'SIGKILL', where);
    const recovered = await kubepki(['certs', 'recover', '--rootfs', directory]);
    assert.equal(recovered.code, 0, `${where}\n${recovered.stderr}`);
    try {
      const count = judgeState({ where, stdout: run.stdout, directory });
      requireSound(treeAt(directory), join(scratch, `sound-${String(index)}`), count);
      requireTidy(treeAt(directory));
    } catch (cause) {
      throw new Error(`${where}: ${String(cause)}`, { cause });
    }
    rmSync(directory, { recursive: true });
  });
}

/** Every call of a renewal, and some of the others, which commit with the same code. */
const ofOthers: Amount = { all: 30, short: 12 };

describe('killed at any call, recover leaves the set all old or all new, and nothing else', () => {
  test('renew all', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const points = await pointsOf(t, strace, renewal);
    assert.ok(points.length > 150, `only ${String(points.length)} calls: the trace is not read right`);
    const chosen = sample(points, 40);
    const before = snapshot(laid(t, renewal));
    const states = { old: 0, new: 0 };
    await killEverywhere(t, strace, renewal, points, chosen, ({ stdout, directory }) => {
      const state = setState(before, snapshot(directory));
      // "Renewed" is said of what is done, and killed after that it stays done.
      if (/ renewed$/m.test(stdout)) assert.equal(state, 'new');
      states[state] += 1;
      return undefined;
    });
    const survived = states.old + states.new;
    t.diagnostic(
      `${String(chosen.length)} kill points, ${String(survived)} survived (${String(states.old)} old, ${String(states.new)} new)`,
    );
    assert.equal(survived, chosen.length);
    assert.ok(states.old > 0 && states.new > 0);
  });

  test('rollback', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const scenario = await rollbackScenario(t);
    const points = await pointsOf(t, strace, scenario);
    const chosen = seeded(points, ofOthers);
    const before = snapshot(laid(t, scenario));
    const original = snapshot(laid(t, renewal));
    const states = { old: 0, new: 0 };
    await killEverywhere(t, strace, scenario, points, chosen, ({ directory }) => {
      const after = snapshot(directory);
      const state = setState(before, after);
      // What is new here are the original's own bytes.
      if (state === 'new') assert.equal(setState(original, after), 'old');
      states[state] += 1;
      return undefined;
    });
    const survived = states.old + states.new;
    t.diagnostic(`${String(chosen.length)} kill points in rollback, ${String(survived)} survived`);
    assert.equal(survived, chosen.length);
    assert.ok(states.old > 0 && states.new > 0);
  });

  test('renew all --csr-only: no live file is touched, and what waits is all there or not at all', async (t) => {
    const [strace, openssl] = [judge(t, 'strace'), judge(t, 'openssl')];
    if (strace === undefined || openssl === undefined) return;
    const scenario = requestScenario(t, openssl);
    const points = await pointsOf(t, strace, scenario);
    const chosen = seeded(points, ofOthers);
    const before = snapshot(laid(t, scenario));
    const waiting = new Map<number, number>();
    await killEverywhere(t, strace, scenario, points, chosen, ({ directory }) => {
      const after = snapshot(directory);
      assert.deepEqual(
        fileChanges(before, after).filter((line) => !/^\+ csr(?: |\/\S+\.(?:csr|key) 0600$)/.test(line)),
        [],
      );
      const files = [...after.keys()].filter((path) => path.startsWith('csr/')).length;
      waiting.set(files, (waiting.get(files) ?? 0) + 1);
      return undefined;
    });
    t.diagnostic(`${String(chosen.length)} kill points in renew --csr-only`);
    assert.deepEqual([...waiting.keys()].sort(), [0, 20]);
  });

  test('install: all of it, and what waited is cleared away, or nothing, and all of it still waits', async (t) => {
    const [strace, openssl] = [judge(t, 'strace'), judge(t, 'openssl')];
    if (strace === undefined || openssl === undefined) return;
    const scenario = await installScenario(t, openssl);
    const points = await pointsOf(t, strace, scenario);
    const chosen = seeded(points, ofOthers);
    const before = snapshot(laid(t, scenario));
    const states = { old: 0, new: 0 };
    await killEverywhere(t, strace, scenario, points, chosen, ({ directory }) => {
      const after = snapshot(directory);
      const state = setState(before, after);
      const waits = (files: typeof after): string[] =>
        [...files.keys()].filter((path) => path.startsWith('csr/'));
      assert.deepEqual(waits(after), state === 'old' ? waits(before) : []);
      states[state] += 1;
      return undefined;
    });
    t.diagnostic(`${String(chosen.length)} kill points in install`);
    assert.ok(states.old > 0 && states.new > 0);
  });

  test('renew kubelet.conf with a copy of admin.conf: all of it, or nothing', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const scenario = await kubeletScenario(t);
    const points = await pointsOf(t, strace, scenario);
    const chosen = seeded(points, ofOthers);
    const before = snapshot(laid(t, scenario));
    const changed = new Map<string, number>();
    await killEverywhere(t, strace, scenario, points, chosen, ({ directory }) => {
      const lines = fileChanges(before, snapshot(directory))
        .filter((line) => !line.includes('kubelet-client-2') && !line.includes('kubelet-client-updated'))
        .map((line) => line.split(' ').slice(0, 2).join(' '));
      changed.set(lines.join(), (changed.get(lines.join()) ?? 0) + 1);
      return undefined;
    });
    t.diagnostic(`${String(chosen.length)} kill points in renew kubelet.conf`);
    const all = [
      '~ etc/kubernetes/admin.conf',
      '~ etc/kubernetes/kubelet.conf',
      '~ home/config',
      `+ ${kubeletStore}/kubelet-client-current.pem`,
    ];
    assert.deepEqual([...changed.keys()].sort(), ['', all.join()].sort());
  });

  test('generate: everything, or nothing', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const points = await pointsOf(t, strace, generation);
    const chosen = seeded(points, ofOthers);
    const before = snapshot(laid(t, generation));
    const made = new Map<number, number>();
    await killEverywhere(t, strace, generation, points, chosen, ({ directory, stdout }) => {
      const files = fileChanges(before, snapshot(directory)).filter((line) => !line.endsWith(' 0755'));
      made.set(files.length, (made.get(files.length) ?? 0) + 1);
      // Said of what is done.
      if (stdout !== '') assert.notEqual(files.length, 0);
      return files.length === 0 ? 0 : 11;
    });
    t.diagnostic(`${String(chosen.length)} kill points in generate`);
    // 10 pairs, the service-account key in two halves, 5 kubeconfigs.
    assert.deepEqual([...made.keys()].sort(), [0, 27]);
  });

  for (const direction of ['forward', 'back'] as const) {
    test(`recover itself, going ${direction}`, async (t) => {
      const strace = judge(t, 'strace');
      if (strace === undefined) return;
      const scenario = await recoveryScenario(t, strace, direction);
      const points = await pointsOf(t, strace, scenario);
      const chosen = seeded(points, ofOthers);
      const original = snapshot(laid(t, renewal));
      let survived = 0;
      await killEverywhere(t, strace, scenario, points, chosen, ({ directory }) => {
        assert.equal(setState(original, snapshot(directory)), direction === 'back' ? 'old' : 'new');
        survived += 1;
        return undefined;
      });
      t.diagnostic(
        `${String(chosen.length)} kill points in recover going ${direction}, ${String(survived)} survived`,
      );
      assert.equal(survived, chosen.length);
    });
  }
});

function laid(t: TestContext, { lay }: Scenario): string {
  const directory = join(temporaryDirectory(t), 'laid');
  lay(directory);
  return directory;
}
