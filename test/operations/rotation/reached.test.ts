import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stages, type Stage } from '../../../src/operations/rotation/plan.ts';
import { orderOf, reachedBy, type Fit } from '../../../src/operations/rotation/state.ts';

/** The files of one CA on a control plane, as each stage leaves them: the stages at which such a file is right. */
const files: Readonly<Record<string, readonly (readonly [Stage, Stage])[]>> = {
  authority: [
    ['prepare', 'prepare'],
    ['trust', 'trust'],
    ['switch', 'switch'],
    ['distrust', 'finish'],
  ],
  key: [
    ['prepare', 'trust'],
    ['switch', 'finish'],
  ],
  leaf: [
    ['prepare', 'trust'],
    ['switch', 'distrust'],
    ['finish', 'finish'],
  ],
  kubeconfig: [
    ['prepare', 'prepare'],
    ['trust', 'switch'],
    ['distrust', 'finish'],
  ],
};

function fit(path: string, [first, last]: readonly [Stage, Stage]): Fit {
  return { path, first, last, holds: '' };
}

/** The file as it is at a stage. */
function at(path: string, stage: Stage): Fit {
  const found = files[path]?.find(
    ([first, last]) => orderOf(first) <= orderOf(stage) && orderOf(stage) <= orderOf(last),
  );
  assert.ok(found);
  return fit(path, found);
}

const paths = Object.keys(files);

describe('where a node is', () => {
  for (const stage of stages) {
    test(`all files of ${stage} are at ${stage}`, () => {
      const found = reachedBy(paths.map((path) => at(path, stage)));
      assert.equal(found.kind, 'at');
      assert.ok(orderOf(found.first) <= orderOf(stage) && orderOf(stage) <= orderOf(found.last));
    });
  }

  // Every mix: each file is as one of two neighbouring stages leaves it.
  for (const [index, later] of stages.entries()) {
    const earlier = stages[index - 1];
    if (earlier === undefined) continue;
    test(`every mix of ${earlier} and ${later} is between the two, or at one of them`, () => {
      for (let mix = 0; mix < 2 ** paths.length; mix += 1) {
        const fits = paths.map((path, bit): Fit => at(path, (mix >> bit) % 2 === 0 ? earlier : later));
        const found = reachedBy(fits);
        if (found.kind === 'at') {
          const order = [orderOf(found.first), orderOf(found.last)] as const;
          assert.ok(order[0] <= orderOf(later) && order[1] >= orderOf(earlier), `mix ${String(mix)}`);
          continue;
        }
        assert.equal(found.kind, 'between', `mix ${String(mix)}`);
        assert.deepEqual([found.from, found.to], [earlier, later], `mix ${String(mix)}`);
        assert.deepEqual(
          found.behind.map(({ path }) => path),
          fits.filter(({ last }) => orderOf(last) < orderOf(later)).map(({ path }) => path),
        );
      }
    });
  }

  test('files of stages that are no neighbours are told as that', () => {
    const found = reachedBy([at('authority', 'prepare'), at('key', 'switch')]);
    assert.deepEqual(found.kind === 'between' && [found.from, found.to], ['prepare', 'switch']);
  });
});
