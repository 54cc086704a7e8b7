import { test } from 'node:test';
import { everyPoint } from '../faults/sample.ts';
import { rotatesWhole } from './rotates-whole.ts';

// With three control planes it is tried by faults/rotation/, and that has one too, in killed.test.ts.
if (!everyPoint) {
  test('a whole rotation of all CAs of a cluster with one control plane', { timeout: 500_000 }, (t) =>
    rotatesWhole(t, { controlPlanes: 1, workers: 1 }),
  );
}
