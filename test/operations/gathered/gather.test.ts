import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KubepkiError } from '../../../src/errors/error.ts';
import { gather, type Gathering, type Received } from '../../../src/operations/gathered/gather.ts';

const now = new Date('2027-01-02T00:00:00Z');
const hourMs = 3_600_000;
const gathering: Gathering = {
  now,
  maxAgeMs: 24 * hourMs,
  maxAge: '24h',
  expected: undefined,
  command: 'print it',
};

function document(
  node: string | undefined,
  ageMs: number | undefined,
  source = `${String(node)}.json`,
): Received<string> {
  const time = ageMs === undefined ? undefined : new Date(now.getTime() - ageMs);
  return { source, node, time, lack: undefined, body: source };
}

function words(
  documents: readonly Received<string>[],
  own: Partial<Gathering> = {},
): (string | undefined)[][] {
  const { nodes } = gather(documents, [], { ...gathering, ...own });
  return nodes.map(({ node, doubt, body }) => [node, doubt?.word, body]);
}

describe('which documents count', () => {
  for (const [what, one, word] of [
    ['fresh', document('cp-1', 0), undefined],
    ['as old as may be', document('cp-1', 24 * hourMs), undefined],
    ['older', document('cp-1', 24 * hourMs + 1), 'too old'],
    ['a clock that is a little ahead', document('cp-1', -5 * 60_000), undefined],
    ['one that is far ahead', document('cp-1', -5 * 60_000 - 1), 'from the future'],
    ['without a time', document('cp-1', undefined), 'no time'],
  ] as const) {
    test(what, () => {
      assert.deepEqual(words([one]), [['cp-1', word, 'cp-1.json']]);
    });
  }

  test('one without a name stands for itself', () => {
    const [one, other] = [document(undefined, 0, 'a.json'), document(undefined, 0, 'b.json')];
    assert.deepEqual(words([one, other]), [
      ['a.json', 'nameless', 'a.json'],
      ['b.json', 'nameless', 'b.json'],
    ]);
  });

  test('each node that is expected must have sent one, and no other', () => {
    assert.deepEqual(
      words([document('cp-1', 0), document('cp-9', 0)], { expected: ['cp-2', 'cp-1', 'cp-2'] }),
      [
        ['cp-1', undefined, 'cp-1.json'],
        ['cp-9', 'not expected', 'cp-9.json'],
        ['cp-2', 'no document', undefined],
      ],
    );
  });

  test('of one node the newest counts, and that is said', () => {
    const [old, fresh] = [document('cp-1', 2 * hourMs, 'old.json'), document('cp-1', hourMs, 'new.json')];
    for (const documents of [
      [old, fresh],
      [fresh, old],
    ])
      assert.deepEqual(gather(documents, [], gathering), {
        nodes: [{ node: 'cp-1', time: fresh.time, body: 'new.json', doubt: undefined }],
        notes: ['cp-1: of 2 documents the newest counts: new.json'],
      });
  });

  test('two of one node and moment that differ are none', () => {
    assert.deepEqual(words([document('cp-1', 0, 'a'), document('cp-1', 0, 'b')]), [
      ['cp-1', 'contradicted', 'a'],
    ]);
    const same = document('cp-1', 0, 'a');
    assert.deepEqual(words([same, { ...same, source: 'copy' }]), [['cp-1', undefined, 'a']]);
  });

  test('a text that is no document is a node that has sent nothing', () => {
    const error = new KubepkiError('bad-document', 'is not JSON', { file: 'x.json' });
    const { nodes } = gather([document('cp-1', 0)], [{ source: 'x.json', error }], gathering);
    assert.deepEqual(
      nodes.map(({ node, doubt }) => [node, doubt?.error.oneLine]),
      [
        ['cp-1', undefined],
        ['x.json', 'x.json: is not JSON'],
      ],
    );
  });
});
