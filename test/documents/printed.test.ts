import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { readPrinted, type Format } from '../../src/documents/printed.ts';

const format: Format<string> = {
  printedBy: 'kubepki verify -o json',
  kinds: {
    List: {
      apiVersion: 'kubepki/v1',
      schema: z
        .object({ items: z.array(z.string()) })
        .transform(({ items }) =>
          items.map((node) => ({ node, time: undefined, lack: undefined, body: node })),
        ),
    },
  },
};

const listOf = (...items: readonly string[]): string =>
  JSON.stringify({ kind: 'List', apiVersion: 'kubepki/v1', items });

function read(
  text: string,
  room: number,
): { nodes: readonly (string | undefined)[]; unread: readonly string[] } {
  const { received, unread } = readPrinted({ name: 'said.json', given: 'said.json', text }, format, room);
  return { nodes: received.map(({ node }) => node), unread: unread.map(({ error }) => error.message) };
}

const tooMany = 'there are more than 10000 documents';

test('a text never has more documents than there is room for, in however many lists they come', () => {
  const lists = [listOf('a', 'b', 'c'), listOf('d', 'e', 'f'), listOf('g')].join('\n');
  assert.deepEqual(read(lists, 7), { nodes: ['a', 'b', 'c', 'd', 'e', 'f', 'g'], unread: [] });
  assert.deepEqual(read(lists, 4), { nodes: ['a', 'b', 'c', 'd'], unread: [tooMany] });
  assert.deepEqual(read(lists, 3), { nodes: ['a', 'b', 'c'], unread: [tooMany] });
});
