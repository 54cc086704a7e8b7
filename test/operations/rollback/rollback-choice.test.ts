import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PastChange } from '../../../src/changeset/past-change.ts';
import { meantBy, redoable, stepBack } from '../../../src/operations/rollback/rollback-choice.ts';

const idOf = (sequence: number): string =>
  `2026-11-01T00000${String(sequence)}.000Z-00000${String(sequence)}`;

/** The changes in their order: a name is a change, a number a rollback of the change with that number. The newest first. */
function history(...changes: readonly (string | number)[]): PastChange[] {
  return changes
    .map((change, index) => ({
      id: idOf(index + 1),
      sequence: index + 1,
      restored: typeof change === 'number' ? { id: idOf(change), sequence: change } : null,
    }))
    .reverse();
}

function step(backups: readonly PastChange[], damaged: readonly { readonly id: string }[] = []): unknown {
  const found = stepBack({ backups, damaged });
  switch (found.kind) {
    case 'found':
      return found.backup.sequence;
    case 'damaged':
      return `damaged ${found.id}`;
    case 'none':
      return found.reached === undefined ? 'no backup' : `nothing before ${String(found.reached.sequence)}`;
  }
}

describe('a rollback without a name', () => {
  for (const [what, backups, expected, redo] of [
    ['no backup', history(), 'no backup', []],
    ['three changes', history('A', 'B', 'C'), 3, []],
    ['then one rollback', history('A', 'B', 'C', 3), 2, [4]],
    ['then a second', history('A', 'B', 'C', 3, 2), 1, [5, 4]],
    ['then a third', history('A', 'B', 'C', 3, 2, 1), 'nothing before 1', [6, 5, 4]],
    ['a change after them', history('A', 'B', 'C', 3, 2, 1, 'D'), 7, []],
    ['which is taken back', history('A', 'B', 'C', 3, 2, 1, 'D', 7), 'nothing before 1', [8]],
    ['a change after one rollback', history('A', 'B', 2, 'C'), 4, []],
    ['which is taken back, too', history('A', 'B', 2, 'C', 4), 1, [5]],
    ['a rollback that went far', history('A', 'B', 'C', 1), 'nothing before 1', [4]],
    ['one that went not so far', history('A', 'B', 'C', 2), 1, [4]],
    ['redone', history('A', 'B', 'C', 3, 4), 3, []],
    ['the last of three redone', history('A', 'B', 'C', 3, 2, 1, 6), 1, [5, 4]],
    ['redone and taken back again', history('A', 1, 2, 1), 'nothing before 1', [4]],
  ] as const) {
    test(what, () => {
      assert.equal(step(backups), expected);
      assert.deepEqual(
        redoable(backups).map(({ sequence }) => sequence),
        redo,
      );
    });
  }

  test('what was brought back may be gone', () => {
    const backups = history('A', 'B', 'C', 3).filter(({ sequence }) => sequence !== 3);
    assert.equal(step(backups), 2);
    assert.equal(step(backups.filter(({ sequence }) => sequence > 2)), 'nothing before 3');
  });

  test('one that cannot be read counts where it may be the one, and not where it was passed', () => {
    const without = (sequence: number, ...changes: readonly (string | number)[]): unknown =>
      step(
        history(...changes).filter((one) => one.sequence !== sequence),
        [{ id: idOf(sequence) }],
      );
    assert.equal(without(3, 'A', 'B', 'C'), `damaged ${idOf(3)}`);
    assert.equal(without(2, 'A', 'B', 'C'), 3);
    assert.equal(without(3, 'A', 'B', 'C', 3), 2);
    assert.equal(without(2, 'A', 'B', 'C', 3), `damaged ${idOf(2)}`);
    assert.equal(without(1, 'A', 'B', 2), `damaged ${idOf(1)}`);
  });

  test('ends, whatever a manifest says', () => {
    const backups = [{ id: 'b', sequence: 2, restored: { id: 'z', sequence: 9 } }, ...history('A')];
    assert.equal(step(backups), 1);
  });

  test('where the numbers have come to their end the names decide', () => {
    const sequence = Number.MAX_SAFE_INTEGER;
    const [first, second] = ['a', 'b'].map((id) => ({ id, sequence, restored: null }));
    assert.ok(first && second);
    const third = { id: 'c', sequence, restored: { id: 'b', sequence } };
    assert.deepEqual(stepBack({ backups: [third, second, first], damaged: [] }), {
      kind: 'found',
      backup: first,
    });
  });
});

describe('a word for a backup', () => {
  const backups = history('A', 'B', 'C');
  const meant = (word: string): readonly number[] =>
    meantBy({ backups, damaged: [] }, word).backups.map(({ sequence }) => sequence);

  test('is its ID, the beginning of it, or its number', () => {
    assert.deepEqual(meant(idOf(2)), [2]);
    assert.deepEqual(meant(idOf(2).slice(0, 17)), [2]);
    assert.deepEqual(meant('2026-'), [3, 2, 1]);
    assert.deepEqual(meant('3'), [3]);
  });

  test('a number is no beginning, and nothing is the beginning of all', () => {
    for (const word of ['4', '20', '2026', '02', '', 'x']) assert.deepEqual(meant(word), [], word);
  });

  test('one that cannot be read may be meant, too', () => {
    const damaged = [{ id: idOf(4) }];
    assert.deepEqual(meantBy({ backups, damaged }, '2026-11').damaged, [idOf(4)]);
    assert.deepEqual(meantBy({ backups, damaged }, '4').damaged, []);
  });
});
