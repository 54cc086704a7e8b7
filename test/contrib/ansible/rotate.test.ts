import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { accepted, done, liveStages, stage, unasked } from '../../cli/ca-rotate/rotated-node.ts';
import { kubepkiCommand } from '../../support/kubepki.ts';
import type { NodePlace } from '../../support/rotation/roots.ts';
import { certificatesIn } from '../../support/rotation/components/pem.ts';
import { ansibleBed, type PlayOutcome } from './bed.ts';

const passphrase = 'correct horse battery';

test('a rotation of CAs, stage by stage, where nothing runs', async (t) => {
  const bed = await ansibleBed(t, { controlPlanes: 2, workers: 1 });
  if (bed === undefined) return;
  const { 'cp-1': first, 'cp-2': second, 'worker-1': worker } = bed.hosts;
  assert.ok(first && second && worker);
  const play = (stage: string, words: string, ...flags: string[]): Promise<PlayOutcome> =>
    bed.play(
      'ca-rotate.yml',
      {
        kubepki_command: kubepkiCommand,
        kubepki_rotation_stage: stage,
        kubepki_rotation_accept: words.split(','),
        kubepki_rotation_passphrase: passphrase,
        kubepki_rotation_flags: ['--offline'],
        kubepki_retries: 1,
        kubepki_delay: 1,
      },
      flags,
    );
  const leavesNothing = ({ output }: PlayOutcome): void => {
    assert.ok(!output.includes(passphrase));
    for (const { root } of [first, second, worker])
      assert.ok(!existsSync(join(root, 'var/lib/kubepki-rotation')));
  };
  const kept = ({ root }: NodePlace, file: string): string =>
    readFileSync(join(root, 'etc/kubernetes/pki/.kubepki/rotation', file), 'utf8');
  const trusted = ({ root }: NodePlace): number =>
    certificatesIn(readFileSync(join(root, 'etc/kubernetes/pki/ca.crt'))).length;

  await t.test('prepare: both control planes have the same new keys', async () => {
    const done = await play('prepare', 'etcd-quorum');
    assert.equal(done.code, 0, done.output);
    assert.deepEqual(changedIn(done), { 'cp-1': 1, 'cp-2': 1, 'worker-1': 0 });
    for (const name of ['ca', 'etcd-ca', 'front-proxy-ca'])
      assert.equal(kept(second, `${name}.next.key`), kept(first, `${name}.next.key`));
    assert.ok(!existsSync(join(worker.root, 'etc/kubernetes/pki/.kubepki/rotation')));
    leavesNothing(done);
  });

  await t.test('a stage that is not next is refused, and the other nodes are left alone', async () => {
    const refused = await play('switch', 'verify');
    assert.equal(refused.code, 2);
    assert.match(refused.output, /fatal: \[cp-1\]: .*ca rotate switch .*exit code 1: nothing was changed/);
    assert.doesNotMatch(refused.output, /fatal: \[(?:cp-2|worker-1)\]/);
    assert.deepEqual(changedIn(refused), { 'cp-1': 0, 'cp-2': 0, 'worker-1': 0 });
    leavesNothing(refused);
  });

  await t.test('trust: every node trusts both CAs', async () => {
    const done = await play('trust', accepted);
    assert.equal(done.code, 0, done.output);
    assert.deepEqual(changedIn(done), { 'cp-1': 1, 'cp-2': 1, 'worker-1': 1 });
    for (const node of [first, second, worker]) assert.equal(trusted(node), 2);
    leavesNothing(done);
  });

  await t.test('once more: nothing changes', async () => {
    const again = await play('trust', accepted);
    assert.equal(again.code, 0, again.output);
    assert.deepEqual(changedIn(again), { 'cp-1': 0, 'cp-2': 0, 'worker-1': 0 });
  });
});

test('the end of a rotation: the old keys are destroyed, and then there is nothing to do', async (t) => {
  const bed = await ansibleBed(t, { controlPlanes: 1, workers: 0 });
  const root = bed?.hosts['cp-1']?.root;
  if (bed === undefined || root === undefined) return;
  await done(root, 'rotate', 'prepare', ...unasked);
  for (const name of liveStages) await stage(root, name);
  const rotation = join(root, 'etc/kubernetes/pki/.kubepki/rotation');
  const { id } = JSON.parse(readFileSync(join(rotation, 'plan.json'), 'utf8')) as { readonly id: string };
  for (const changed of [1, 0]) {
    const outcome = await bed.play('ca-rotate.yml', {
      kubepki_command: kubepkiCommand,
      kubepki_rotation_stage: 'finish',
      kubepki_rotation_destroy_id: id,
      kubepki_rotation_flags: ['--offline'],
    });
    assert.equal(outcome.code, 0, outcome.output);
    assert.deepEqual(changedIn(outcome), { 'cp-1': changed });
    assert.ok(!existsSync(rotation));
  }
});

function changedIn({ recap }: PlayOutcome): Record<string, number> {
  return Object.fromEntries(Object.entries(recap).map(([host, { changed }]) => [host, changed]));
}
