import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { plane, quickly } from '../../support/kubelet/restart.ts';
import { kubepkiCommand } from '../../support/kubepki.ts';
import { certs } from '../../support/node.ts';
import { bedOf } from './bed.ts';

test('a restart that fails is named, is made up for by the next run, and is over then', async (t) => {
  const node = await plane(t, {
    flags: (_, tree) => ({ 'kube-apiserver': [`--refuse-while=${join(tree.directory, 'broken')}`] }),
  });
  if (node === undefined) return;
  const { tree, kubelet } = node;
  const hosts = { controlPlanes: [{ name: 'cp-1', root: tree.directory }], workers: [] };
  const bed = bedOf(t, hosts, { kubepki_command: kubepkiCommand, kubepki_within: '11d' });
  if (bed === undefined) return;
  const due = await certs(tree, 'renew', 'apiserver', '--validity', '240h', '--add-san', '127.0.0.1');
  assert.equal(due.code, 0, due.stderr);
  const broken = join(tree.directory, 'broken');
  writeFileSync(broken, '');

  const brief = [...quickly, '--start-timeout', '2s'];
  const failed = await bed.play('renew.yml', { kubepki_renew_flags: brief });
  assert.equal(failed.code, 2);
  assert.match(failed.output, /exit code 8: .* To be restarted: kube-apiserver\./);
  assert.match(failed.output, /kube-apiserver was not healthy again within 2s/);
  assert.deepEqual(failed.recap['cp-1']?.changed, 1);

  rmSync(broken);
  await node.healthy();
  const starts = kubelet.starts.length;
  const flags = { kubepki_renew_flags: quickly };
  const next = await bed.play('renew.yml', flags);
  assert.equal(next.code, 0, next.output);
  assert.equal(next.recap['cp-1']?.changed, 1);
  assert.deepEqual(kubelet.starts.slice(starts), ['kube-apiserver.yaml']);

  const last = await bed.play('renew.yml', flags);
  assert.equal(last.code, 0, last.output);
  assert.equal(last.recap['cp-1']?.changed, 0);
  assert.equal(kubelet.starts.length, starts + 1);
});
