import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kubepki } from '../support/kubepki.ts';
import { mountsFor } from '../support/machine/mounts.ts';
import { changes, copyFixture, snapshot, temporaryDirectory } from '../support/tree.ts';
import { requireSound, requireTidy, setState } from './invariants.ts';
import { everyPoint } from './sample.ts';

test('a disk that fills up at any byte: nothing is changed, or everything', async (t) => {
  const mounts = mountsFor(t);
  if (mounts === undefined) return;
  const directory = temporaryDirectory(t);
  mounts.tmpfs(directory, 'size=1m,mode=0755');
  const source = copyFixture(t, 'ipv6');
  const outcomes = { unchanged: 0, changed: 0 };
  for (let free = 0; free <= 400; free += everyPoint ? 20 : 50) {
    rmSync(join(directory, 'etc'), { recursive: true, force: true });
    rmSync(join(directory, 'filler'), { force: true });
    cpSync(join(source.directory, 'etc'), join(directory, 'etc'), {
      recursive: true,
      preserveTimestamps: true,
    });
    const available = Number(
      execFileSync('df', ['--output=avail', '-k', directory]).toString().split('\n')[1],
    );
    writeFileSync(join(directory, 'filler'), Buffer.alloc(Math.max(0, available - free) * 1024));
    const before = snapshot(join(directory, 'etc'));
    const outcome = await kubepki(['certs', 'renew', 'all', '--rootfs', directory]);
    const after = snapshot(join(directory, 'etc'));
    if (outcome.code === 0) {
      outcomes.changed += 1;
      assert.equal(setState(before, after), 'new');
    } else {
      outcomes.unchanged += 1;
      assert.equal(outcome.code, 1, outcome.stderr);
      assert.match(outcome.stderr, /no space left on device\nhint: make room/);
      assert.deepEqual(changes(before, after), [], `${String(free)} KiB free`);
    }
    const kubeconfigDir = join(directory, 'etc/kubernetes');
    const tree = { directory, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
    requireSound(tree, join(temporaryDirectory(t), 'sound'));
    requireTidy(tree);
  }
  t.diagnostic(
    `${String(outcomes.unchanged)} times too little room and nothing changed, ${String(outcomes.changed)} times renewed`,
  );
  assert.ok(outcomes.unchanged > 3 && outcomes.changed > 0);
});
