/** kill -9, and a call that fails, at every system call of a change that makes or takes away the files of a rotation. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { destroyRotation } from '../../../src/storage/destroy-key.ts';
import { recover } from '../../../src/storage/recovery.ts';
import { judge } from '../../support/judge.ts';
import { stateFor } from '../../support/state.ts';
import { changes, snapshot, temporaryDirectory, type Snapshot } from '../../support/tree.ts';
import { forEachParallel } from '../pool.ts';
import { plan } from './plan.ts';
import { sample } from '../sample.ts';
import { copyOf, inject, pointsOf, type Fault, type Scenario } from '../scenario.ts';

const killed = { kind: 'killed', effect: 'signal=SIGKILL' } as const;
const failed = { kind: 'failed', effect: 'error=EIO' } as const;

/** Without what a run leaves beside the change: backups, and the directory of its state. */
function withoutBackups(directory: string): Snapshot {
  return new Map([...snapshot(directory)].filter(([path]) => !/\.kubepki(?:$|\/backups)/.test(path)));
}

async function programOf(t: TestContext): Promise<readonly string[]> {
  const script = join(temporaryDirectory(t), 'change.cjs');
  const entry = fileURLToPath(new URL('change.ts', import.meta.url));
  await build({ entryPoints: [entry], outfile: script, bundle: true, platform: 'node', logLevel: 'error' });
  return [execPath, script];
}

/** A node without a rotation, and one with. */
async function scenarios(t: TestContext): Promise<readonly [Scenario, Scenario]> {
  const program = await programOf(t);
  const [bare, rotating] = ['bare', 'rotating'].map((name) => join(temporaryDirectory(t), name));
  assert.ok(bare !== undefined && rotating !== undefined);
  for (const directory of [bare, rotating]) {
    mkdirSync(join(directory, 'pki/.kubepki'), { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, 'pki/ca.crt'), 'old\n', { mode: 0o644 });
  }
  const [node = '', script = ''] = program;
  assert.equal(spawnSync(node, [script, 'make', '--rootfs', rotating]).status, 0);
  return [
    { name: 'making them', lay: copyOf(bare), command: ['make'], group: [], program },
    { name: 'taking them away', lay: copyOf(rotating), command: ['take'], group: [], program },
  ];
}

async function disturb(t: TestContext, strace: string, scenario: Scenario, fault: Fault): Promise<void> {
  const points = await pointsOf(t, strace, scenario);
  assert.ok(points.length > 40, `only ${String(points.length)} calls: the trace is not read right`);
  const [before, after] = [join(temporaryDirectory(t), 'before'), join(temporaryDirectory(t), 'after')];
  for (const directory of [before, after]) scenario.lay(directory);
  const [node = '', script = ''] = scenario.program ?? [];
  assert.equal(spawnSync(node, [script, ...scenario.command, '--rootfs', after]).status, 0);
  const states = { old: 0, new: 0 };
  const scratch = temporaryDirectory(t);
  await forEachParallel([...sample(points, 4).entries()], async ([index, point]) => {
    const directory = join(scratch, String(index));
    await inject(strace, scratch, directory, scenario, point, points, fault);
    recover(stateFor(join(directory, 'pki')));
    const now = withoutBackups(directory);
    const isOld = changes(withoutBackups(before), now).length === 0;
    const left = changes(withoutBackups(after), now);
    assert.ok(isOld || left.length === 0, `${scenario.name}, ${point.line}: ${left.join(', ')}`);
    states[isOld ? 'old' : 'new'] += 1;
    rmSync(directory, { recursive: true });
  });
  assert.ok(states.old > 0 && states.new > 0, JSON.stringify(states));
}

describe('the files of a rotation are there all or none, with the CA they belong to', () => {
  for (const fault of [killed, failed]) {
    test(`${fault.kind} at any call, then recovered`, async (t) => {
      const strace = judge(t, 'strace');
      if (strace === undefined) return;
      for (const scenario of await scenarios(t)) await disturb(t, strace, scenario, fault);
    });
  }

  test('recovery that goes back takes the directory away which the change has made', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const [scenario] = await scenarios(t);
    const points = await pointsOf(t, strace, scenario);
    const [before, directory] = [
      join(temporaryDirectory(t), 'before'),
      join(temporaryDirectory(t), 'killed'),
    ];
    scenario.lay(before);
    const second = points.filter(({ call, line }) => call === 'rename' && line.includes('.kubepki-'))[1];
    assert.ok(second);
    await inject(strace, temporaryDirectory(t), directory, scenario, second, points, killed);
    const kept = join(directory, 'pki/.kubepki/rotation');
    const staged = readdirSync(kept).find((name) => name.startsWith('.ca.next.key.kubepki-'));
    assert.ok(staged);
    writeFileSync(join(kept, staged), 'damaged');
    assert.equal(recover(stateFor(join(directory, 'pki'))).outcome, 'back');
    assert.deepEqual(changes(withoutBackups(before), withoutBackups(directory)), []);
  });

  test('killed while they are destroyed: as long as there is a plan it can be read, and the same again ends it', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const [, { lay, program = [] }] = await scenarios(t);
    const scenario: Scenario = { name: 'destroying them', lay, command: ['destroy'], group: [], program };
    const points = await pointsOf(t, strace, scenario);
    assert.ok(points.length > 7, `only ${String(points.length)} calls: the trace is not read right`);
    const scratch = temporaryDirectory(t);
    await forEachParallel([...sample(points, 2).entries()], async ([index, point]) => {
      const directory = join(scratch, String(index));
      await inject(strace, scratch, directory, scenario, point, points, killed);
      const state = stateFor(join(directory, 'pki'));
      const kept = join(state.path, 'rotation');
      const has = (name: string): boolean => existsSync(join(kept, name));
      assert.ok(!has('plan.json') || has('ca.next.crt'), `${point.line}: a plan without its certificates`);
      if (has('plan.json')) destroyRotation(state, plan, () => false);
      else assert.equal(has('ca.next.key'), false, `${point.line}: a key without a plan`);
      assert.equal(has('plan.json'), false);
      rmSync(directory, { recursive: true });
    });
  });
});
