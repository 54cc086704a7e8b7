import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tokenKeyState } from '../../../src/operations/token-key/state.ts';
import { planFinish, planSwitch, planTrust } from '../../../src/operations/token-key/plan-stage.ts';
import { commandLine } from '../../../src/errors/command-line.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import { changesOf, keys, tokenKeyFiles, type Mix } from '../../support/planners/token-keys.ts';

const command = commandLine([]);
const { B } = keys;

/** Every mix of the four files that three keys can make, as far as one node can have it. */
const mixes: readonly (readonly [what: string, mix: Mix, expected: string | RegExp])[] = [
  ['as kubeadm made it', { key: 'A', pub: 'A' }, 'none'],
  ['with a key of an earlier replacement by hand', { key: 'A', pub: 'AB' }, 'none'],
  ['with a next key that sa.pub has lost', { key: 'A', pub: 'A', next: 'B' }, 'none'],
  ['with the next key', { key: 'A', pub: 'AB', next: 'B' }, 'trust'],
  ['in another order', { key: 'A', pub: 'BA', next: 'B' }, 'trust'],
  ['with another one between', { key: 'A', pub: 'ACB', next: 'B' }, 'trust'],
  ['after the switch', { key: 'B', pub: 'BA', old: 'A' }, 'switch'],
  ['after the switch, in another order', { key: 'B', pub: 'AB', old: 'A' }, 'switch'],
  ['after finish', { key: 'B', pub: 'B', old: 'A' }, 'finish'],
  ['after finish, with another one', { key: 'B', pub: 'BC', old: 'A' }, 'finish'],
  ['sa.key is none of sa.pub', { key: 'A', pub: 'B' }, /sa\.pub: does not hold the key of .*sa\.key/],
  ['both keys wait', { key: 'A', pub: 'AB', next: 'B', old: 'C' }, /next\.key: is there, and .*old\.key too/],
  [
    'sa.key was replaced by hand',
    { key: 'B', pub: 'AB', next: 'B' },
    /sa\.key: was made the next key by other hands/,
  ],
  ['sa.key was put back by hand', { key: 'A', pub: 'AB', old: 'A' }, /sa\.key: was made the old key again/],
  ['no sa.key', { key: '', pub: 'A' }, /sa\.key: no such file/],
  ['no sa.pub', { key: 'A', pub: '' }, /sa\.pub: no such file/],
];

function stageOf(mix: Mix): string {
  try {
    return tokenKeyState(tokenKeyFiles(mix)).stage;
  } catch (error) {
    if (error instanceof KubepkiError) return error.oneLine;
    throw error;
  }
}

describe('the stage of a node', () => {
  for (const [what, mix, expected] of mixes) {
    test(`${what}: ${String(expected)}`, () => {
      if (typeof expected === 'string') assert.equal(stageOf(mix), expected);
      else assert.match(stageOf(mix), expected);
    });
  }
});

describe('a stage', () => {
  const plan = (mix: Mix, to: 'trust' | 'switch' | 'finish'): Mix | string => {
    const files = tokenKeyFiles(mix);
    try {
      const state = tokenKeyState(files);
      const { changes } =
        to === 'trust'
          ? planTrust(state, files, state.next ?? B, { command })
          : (to === 'switch' ? planSwitch : planFinish)(state, files, { command });
      return changesOf(files, mix, changes);
    } catch (error) {
      if (error instanceof KubepkiError) return error.message;
      throw error;
    }
  };

  const none = { key: 'A', pub: 'A' };
  const trust = { key: 'A', pub: 'AB', next: 'B' };
  const switched = { key: 'B', pub: 'BA', old: 'A' };
  const finished = { key: 'B', pub: 'B', old: 'A' };

  for (const [from, to, expected] of [
    [none, 'trust', trust],
    [trust, 'trust', trust],
    [{ ...none, next: 'B' }, 'trust', trust],
    [{ ...trust, pub: 'BA' }, 'trust', trust],
    [{ key: 'A', pub: 'AC' }, 'trust', { key: 'A', pub: 'ACB', next: 'B' }],
    [switched, 'trust', 'is the next key already: this node has switched'],
    [finished, 'trust', 'is there still, from a replacement that is finished'],
    [none, 'switch', 'holds no next key of this node: it has not trusted one yet'],
    [{ ...none, next: 'B' }, 'switch', 'holds no next key of this node: it has not trusted one yet'],
    [trust, 'switch', switched],
    [{ ...trust, pub: 'ACB' }, 'switch', { key: 'B', pub: 'BAC', old: 'A' }],
    [switched, 'switch', switched],
    [{ ...switched, pub: 'AB' }, 'switch', switched],
    [finished, 'switch', finished],
    [none, 'finish', 'holds no key that this node has signed with before: it has not switched'],
    [trust, 'finish', 'holds no key that this node has signed with before: it has not switched'],
    [switched, 'finish', finished],
    [{ ...switched, pub: 'BAC' }, 'finish', { ...finished, pub: 'BC' }],
    [finished, 'finish', finished],
  ] as const satisfies readonly (readonly [Mix, 'trust' | 'switch' | 'finish', Mix | string])[]) {
    test(`${to} of ${JSON.stringify(from)}`, () => {
      assert.deepEqual(plan(from, to), expected);
    });
  }

  test('keeps the mode and the owner of a file, and gives those that wait none of it', () => {
    const files = tokenKeyFiles({ key: 'A', pub: 'A' }, { mode: 0o640, uid: 1001, gid: 1002 });
    const state = tokenKeyState(files);
    const trusted = planTrust(state, files, B, { command });
    assert.deepEqual(
      trusted.changes.map(({ after }) => [after?.mode, after?.owner]),
      [
        [0o640, { uid: 1001, gid: 1002 }],
        [0o600, undefined],
      ],
    );
    const next = tokenKeyFiles({ key: 'A', pub: 'AB', next: 'B' }, { mode: 0o640, uid: 1001, gid: 1002 });
    const { changes } = planSwitch(tokenKeyState(next), next, { command });
    const old = changes.find(({ target }) => target.path.endsWith('/old.key'));
    assert.deepEqual([old?.after?.mode, old?.after?.owner], [0o600, undefined]);
  });
});
