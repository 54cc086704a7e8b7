import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { rotationCluster } from '../support/rotation/cluster.ts';
import { apiAsk } from '../support/rotation/clients.ts';

test('try', { timeout: 500_000 }, async (t) => {
  const cluster = await rotationCluster(t, { controlPlanes: Number(process.env['CPS'] ?? '1'), workers: 0 });
  if (cluster === undefined) return;
  const say = (text: string): void => { process.stderr.write(`${text}\n`); };
  cluster.client('old', apiAsk(cluster.original, cluster.endpoint));
  const [first, ...others] = cluster.controlPlanes;
  const run = async (node: typeof first, ...args: string[]) => {
    const start = Date.now();
    const out = await node.run(...args);
    say(`--- ${node.name}$ kubepki ${args.join(' ')}   [${String(out.code)}, ${String(Date.now() - start)} ms]\n${out.stdout}${out.stderr}`);
    return out;
  };
  for (const node of cluster.controlPlanes) mkdirSync(join(node.root, 'root'), { recursive: true, mode: 0o700 });
  await run(first, 'ca', 'rotate', 'prepare');
  writeFileSync(join(first.root, 'root/pass') , 'a long passphrase, truly\n', { mode: 0o600 });
  for (const node of others) writeFileSync(join(node.root, 'root/pass') , 'a long passphrase, truly\n', { mode: 0o600 });
  if (others.length > 0) {
    await run(first, 'ca', 'rotate', 'export', '/root/rotation.tar', '--with-keys', '--passphrase-file', '/root/pass');
    for (const node of others) {
      copyFileSync(join(first.root, 'root/rotation.tar'), join(node.root, 'root/rotation.tar'));
      await run(node, 'ca', 'rotate', 'prepare', '--import', '/root/rotation.tar', '--passphrase-file', '/root/pass');
    }
  }
  for (const stage of ['trust', 'switch', 'distrust', 'finish']) {
    for (const node of cluster.controlPlanes) {
      for (const other of cluster.controlPlanes) {
        if (other === node) continue;
        const { stdout } = await other.run('ca', 'status', '-o', 'json');
        writeFileSync(join(node.root, `root/${other.name}.json`), stdout);
      }
      const from = cluster.controlPlanes.filter((one) => one !== node).flatMap((one) => ['--from', `/root/${one.name}.json`]);
      const accept = process.env['ACCEPT'] ?? '';
      await run(node, 'ca', 'rotate', stage, '--restart', '--settle', '1s', ...from, ...(accept === '' ? [] : ['--accept', accept]));
      await node.restartKubelet();
      say(JSON.stringify(cluster.report(), undefined, 1));
    }
    await run(first, 'ca', 'status');
  }
  await cluster.settled();
  assert.ok(true);
});
