import { test } from 'node:test';
import { everyKill, everyPoint } from '../faults/sample.ts';
import { rotatesWhole } from './rotates-whole.ts';
import { rotatesTokenKey } from './token-key.ts';

// With three control planes two stages are mixed, from one node to the next; that takes minutes.
if (everyPoint) {
  test('a whole rotation of all CAs over three control planes and two workers', (t) =>
    // With KILLS=all the service-account key follows; in CI it has one control plane of its own.
    rotatesWhole(t, { controlPlanes: 3, workers: 2 }, everyKill ? rotatesTokenKey : undefined));
} else {
  test('a whole rotation of all CAs of a cluster with one control plane', { timeout: 500_000 }, (t) =>
    rotatesWhole(t, { controlPlanes: 1, workers: 1 }),
  );
}
