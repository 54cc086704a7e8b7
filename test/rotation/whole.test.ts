import { test } from 'node:test';
import { everyPoint } from '../faults/sample.ts';
import { rotatesWhole } from './rotates-whole.ts';
import { rotatesTokenKey } from './token-key.ts';

// With three control planes two stages are mixed, from one node to the next; that takes minutes.
if (everyPoint) {
  test('a whole rotation of all CAs, and of the service-account key, over three control planes and two workers', (t) =>
    rotatesWhole(t, { controlPlanes: 3, workers: 2 }, rotatesTokenKey));
} else {
  test('a whole rotation of all CAs of a cluster with one control plane', { timeout: 500_000 }, (t) =>
    rotatesWhole(t, { controlPlanes: 1, workers: 1 }),
  );
}
