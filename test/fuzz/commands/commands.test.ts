import { test } from 'node:test';
import { fuzz } from '../fuzz.ts';

test('commands that only read: a mutated file spoils its own row, and nothing is written', async (t) => {
  await fuzz(t, new URL('command-campaigns.ts', import.meta.url));
});
