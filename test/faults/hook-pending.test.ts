/** `renew --deploy-hook` killed at every call: the certificate is the old one, or its hook is not forgotten. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { judge } from '../support/judge.ts';
import { done } from '../support/node.ts';
import { snapshot, temporaryDirectory } from '../support/tree.ts';
import { requireTidy } from './invariants.ts';
import { forEachParallel } from './pool.ts';
import { spread } from './sample.ts';
import { inject, pointsOf, renewal, treeAt, type Scenario } from './scenario.ts';

const kubeconfig = 'etc/kubernetes/scheduler.conf';
// Beside the tree, so that what the hook does is no call of the renewal.
const hook = 'f=$KUBEPKI_FILES; echo "$KUBEPKI_NAMES" >>"${f%%/etc/kubernetes/*}.told"';
const scenario: Scenario = {
  ...renewal,
  name: 'renew --deploy-hook',
  lay: (directory) => {
    rmSync(`${directory}.told`, { force: true });
    renewal.lay(directory);
  },
  command: ['renew', 'scheduler.conf', '--deploy-hook', hook],
};

describe('renew --deploy-hook', () => {
  test('killed at any call: the certificate is old, or the hook has run when the next run has ended', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const points = await pointsOf(t, strace, scenario);
    const decided = points.findIndex(
      ({ call, line }) => call === 'rename' && line.includes('.scheduler.conf.'),
    );
    // Closer where the word is left, the change is made, and the word goes.
    const chosen = [...spread(points.slice(0, decided - 12), 3), ...spread(points.slice(decided - 12), 9)];
    const scratch = temporaryDirectory(t);
    const states = { old: 0, ranInNext: 0, ranAlready: 0 };
    await forEachParallel([...chosen.entries()], async ([index, point]) => {
      const directory = join(scratch, `fault-${String(index)}`);
      const told = (): string =>
        existsSync(`${directory}.told`) ? readFileSync(`${directory}.told`, 'utf8') : '';
      renewal.lay(directory);
      const before = snapshot(directory).get(kubeconfig)?.sha256;
      const fault = { kind: 'killed', effect: 'signal=SIGKILL' } as const;
      await inject(strace, scratch, directory, scenario, point, points, fault);
      const already = told();
      await done(treeAt(directory), 'renew', 'all', '--within', '1h', '--deploy-hook', hook);
      const after = snapshot(directory);
      if (after.get(kubeconfig)?.sha256 === before) {
        states.old += 1;
        assert.equal(told(), '', point.line);
      } else {
        states[already === '' ? 'ranInNext' : 'ranAlready'] += 1;
        // Once more where the kill came between the hook's end and the end of its record.
        assert.match(told(), /^(?:scheduler\.conf\n){1,2}$/, `${point.line}: never run`);
      }
      requireTidy(treeAt(directory));
      assert.deepEqual(
        [...after.keys()].filter((path) => path.includes('kubepki/hook-')),
        [],
        point.line,
      );
    });
    t.diagnostic(`${String(chosen.length)} of ${String(points.length)} points: ${JSON.stringify(states)}`);
    assert.ok(states.old > 0 && states.ranInNext > 0);
  });
});
