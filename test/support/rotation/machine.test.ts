import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../deadline.ts';
import { judge } from '../judge.ts';
import { temporaryDirectory } from '../tree.ts';
import { makeContainers } from './containers.ts';
import { Machine } from './machine.ts';

test('a machine whose power was cut has ended, with all that ran there', async (t) => {
  const openssl = judge(t, 'openssl');
  const unshare = judge(t, 'unshare');
  if (openssl === undefined || unshare === undefined) return;
  const [root, built] = [temporaryDirectory(t), temporaryDirectory(t)];
  for (const path of ['etc', 'var/lib']) mkdirSync(join(root, path), { recursive: true });
  const containers = await makeContainers({ etcd: 'etcd', openssl, unshare }, built);
  const machine = new Machine({ name: 'cp-1', address: '127.0.0.1', root, isControlPlane: true }, containers);
  t.after(() => machine.cut());
  // Nothing holds the streams of the first process open but that itself: the writers have none.
  const writers = 'for i in 1 2 3 4; do (while :; do echo >> /etc/$i; done) >/dev/null 2>&1 & done; wait';
  void machine.begin([], { through: ['sh', '-c', writers] });
  const files = [1, 2, 3, 4].map((name) => join(root, 'etc', String(name)));
  await until(() => (files.every((file) => existsSync(file)) ? true : undefined), {
    deadlineMs: 20_000,
    otherwise: () => `nothing is written: ${machine.said}`,
  });
  await machine.cut();
  for (const file of files) rmSync(file);
  await pause(100);
  assert.deepEqual(
    files.filter((file) => existsSync(file)),
    [],
    'what is written still',
  );
});
