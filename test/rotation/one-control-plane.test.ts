import { test } from 'node:test';
import { rotatesWhole } from './rotates-whole.ts';

test('a whole rotation of all CAs of a cluster with one control plane', { timeout: 300_000 }, (t) =>
  rotatesWhole(t, { controlPlanes: 1, workers: 0 }),
);
