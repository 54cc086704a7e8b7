import { test } from 'node:test';
import { fuzz } from './fuzz.ts';

test('parsers: mutated files are understood or refused, in no time and without showing a key', async (t) => {
  await fuzz(t, new URL('parser-campaigns.ts', import.meta.url));
});
