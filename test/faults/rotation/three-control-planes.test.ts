import { test } from 'node:test';
import { rotatesWhole } from '../../rotation/rotates-whole.ts';
import { everyPoint } from '../sample.ts';

if (everyPoint) {
  test('a whole rotation of all CAs of a cluster with three control planes', (t) =>
    rotatesWhole(t, { controlPlanes: 3, workers: 0 }));
}
