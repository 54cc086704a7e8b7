import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { holdLock, lockFile } from '../../support/machine/lock-holder.ts';
import type { NodePlace } from '../../support/rotation/roots.ts';
import { changes, snapshot, type Tree } from '../../support/tree.ts';
import { ansibleBed } from './bed.ts';

test('three control planes are looked at and renewed', async (t) => {
  const bed = await ansibleBed(t, { controlPlanes: 3, workers: 0 });
  if (bed === undefined) return;
  const { 'cp-1': first, 'cp-2': second, 'cp-3': third } = bed.hosts;
  assert.ok(first && second && third);
  const copied = ({ root }: NodePlace): string => join(root, 'usr/local/bin/kubepki');
  const source = { kubepki_source: bed.executable };
  for (const node of [first, second, third]) await makeDue(node);

  await t.test('an executable with another digest is refused before it is copied', async () => {
    const sums = join(first.root, 'SHA256SUMS');
    writeFileSync(sums, `${'0'.repeat(64)}  kubepki\n${bed.digest}  kubepki-other\n`);
    const { code, output, recap } = await bed.play('renew.yml', { ...source, kubepki_sha256sums: sums });
    assert.equal(code, 2);
    assert.match(output, new RegExp(`has the SHA-256 digest ${bed.digest}, wanted is ${'0'.repeat(64)}`));
    assert.deepEqual(Object.keys(recap), ['cp-1']);
    for (const node of [first, second, third]) assert.ok(!existsSync(copied(node)));
  });

  await t.test('check.yml copies it, and fails where a certificate ends soon', async () => {
    const sums = join(first.root, 'SHA256SUMS');
    writeFileSync(sums, `${bed.digest}  kubepki\n`);
    const variables = { ...source, kubepki_sha256sums: sums };
    const { code, output, recap } = await bed.play('check.yml', variables, ['--limit', 'cp-1']);
    assert.equal(code, 2);
    assert.match(output, /exit code 4: a certificate ends soon\. apiserver ends on/);
    assert.equal(recap['cp-1']?.changed, 1);
    assert.equal(statSync(copied(first)).mode & 0o7777, 0o755);
    assert.deepEqual(readFileSync(copied(first)), readFileSync(bed.executable));
  });

  const given = { ...source, kubepki_sha256: bed.digest };
  await t.test('with --check nothing changes, and it says what would', async () => {
    const before = snapshot(first.root);
    const { code, output, recap } = await bed.play('renew.yml', given, ['--check', '--limit', 'cp-1']);
    assert.equal(code, 0, output);
    assert.equal(recap['cp-1']?.changed, 1);
    assert.deepEqual(changes(before, snapshot(first.root)), []);
  });

  await t.test('the first run renews, one after the other, and waits for a run that is busy', async () => {
    const holder = await holdLock(t, lockFile(treeOf(second)));
    const variables = { ...given, kubepki_retries: 60, kubepki_delay: 1 };
    const flags = { kubepki_renew_flags: ['--lock-timeout', '10ms'] };
    const { code, output, recap } = await bed.play('renew.yml', { ...variables, ...flags }, [], (said) => {
      if (said.includes('FAILED - RETRYING: [cp-2]')) holder?.kill();
    });
    t.diagnostic(recapLines(output));
    assert.equal(code, 0, output);
    assert.match(output, /FAILED - RETRYING: \[cp-2\]/);
    // The renewal, and the executable.
    assert.deepEqual(
      Object.values(recap).map(({ changed }) => changed),
      [1, 2, 2],
    );
    for (const node of [first, second, third]) assert.ok(!(await isDue(node)));
  });

  await t.test('the second run changes nothing', async () => {
    const before = [first, second, third].map(({ root }) => snapshot(root));
    const { code, output, recap } = await bed.play('renew.yml', given);
    t.diagnostic(recapLines(output));
    assert.equal(code, 0, output);
    assert.deepEqual(
      Object.values(recap).map(({ changed, failed }) => [changed, failed]),
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    );
    for (const [index, { root }] of [first, second, third].entries()) {
      const tree = before[index];
      assert.ok(tree);
      assert.deepEqual(changes(tree, snapshot(root)), []);
    }
  });

  // The executable is there.
  await t.test('what was to follow a renewal and failed is named', async () => {
    await makeDue(third);
    const flags = { kubepki_renew_flags: ['--deploy-hook', 'false'] };
    const { code, output, recap } = await bed.play('renew.yml', flags, ['--limit', 'cp-3']);
    assert.equal(code, 2);
    assert.match(
      output,
      /exit code 8: the change is done and stands, but what was to follow failed\. To be restarted: kube-apiserver\./,
    );
    assert.deepEqual([recap['cp-3']?.changed, recap['cp-3']?.failed], [1, 1]);
    assert.ok(!(await isDue(third)));
  });

  await t.test('a node that fails stops the rest', async () => {
    for (const node of [first, third]) await makeDue(node);
    writeFileSync(join(second.root, 'etc/kubernetes/pki/ca.crt'), 'broken\n');
    const { code, output, recap } = await bed.play('renew.yml', {});
    t.diagnostic(recapLines(output));
    assert.equal(code, 2);
    assert.deepEqual(
      Object.entries(recap).map(([name, { changed, failed }]) => [name, changed, failed]),
      [
        ['cp-1', 1, 0],
        ['cp-2', 0, 1],
      ],
    );
    assert.match(output, /cp-2.*ca\.crt/);
    assert.ok(!(await isDue(first)));
    assert.ok(await isDue(third));
  });
});

function treeOf({ root }: NodePlace): Tree {
  const kubeconfigDir = join(root, 'etc/kubernetes');
  return { directory: root, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
}

async function makeDue({ root }: NodePlace): Promise<void> {
  const { code, stderr } = await kubepki([
    'certs',
    'renew',
    'apiserver',
    '--validity',
    '240h',
    '--rootfs',
    root,
  ]);
  assert.equal(code, 0, stderr);
}

async function isDue({ root }: NodePlace): Promise<boolean> {
  const { code } = await kubepki(['certs', 'check-expiration', '--within', '30d', '--rootfs', root]);
  return code === 4;
}

function recapLines(output: string): string {
  return output.slice(output.indexOf('PLAY RECAP')).trimEnd();
}
