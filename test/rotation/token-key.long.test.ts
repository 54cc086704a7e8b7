import { test } from 'node:test';
import { rotationCluster } from '../support/rotation/cluster.ts';
import { Conductor } from '../support/rotation/conductor.ts';
import { rotatesTokenKey } from './token-key.ts';

test('a rotation of the service-account key on one control plane', async (t) => {
  const cluster = await rotationCluster(t, { controlPlanes: 1, workers: 0 });
  if (cluster !== undefined) await rotatesTokenKey(cluster, new Conductor(cluster));
});
