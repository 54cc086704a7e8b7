import { test } from 'node:test';
import { rotatesWhole } from '../../rotation/rotates-whole.ts';
import { rotatesTokenKey } from '../../rotation/token-key.ts';
import { everyPoint } from '../sample.ts';

if (everyPoint) {
  test('a whole rotation of all CAs, and of the service-account key, over three control planes and two workers', (t) =>
    rotatesWhole(t, { controlPlanes: 3, workers: 2 }, rotatesTokenKey));
}
