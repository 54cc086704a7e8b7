/** A static pod's manifest is never lost: `kubepki restart` killed, failed and interrupted at every call. */
import assert from 'node:assert/strict';
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { mountsFor } from '../support/machine/mounts.ts';
import { changes, snapshot } from '../support/tree.ts';
import {
  atEach,
  requireAsBefore,
  requireManifest,
  restartBed,
  waitingPath,
  type Hit,
} from './restart-bed.ts';
import { spread } from './sample.ts';
import { treeAt } from './scenario.ts';
import { manifestPath } from './static-pod.ts';
import type { FaultPoint } from './strace.ts';
import { certsInProcess as certs, doneInProcess as done } from '../support/in-process.ts';

const killed = { kind: 'killed', effect: 'signal=SIGKILL' } as const;

/** A file system without hard links. */
const noLinks = ['link:error=EPERM'];

/** Those that take the manifest away and put it back, those that read its journal, and some of the others. */
function chosenOf(points: readonly FaultPoint[], count: number): readonly FaultPoint[] {
  const some = spread(points, count);
  return points.filter(
    (point) =>
      some.includes(point) ||
      (['link', 'rename', 'unlink'].includes(point.call) && point.line.includes(`/${manifestPath}"`)) ||
      (point.call === 'openat' && point.line.includes('/restart.json"')),
  );
}

/** Puts back what there is to put back, says so, and has nothing to do the second time. */
async function recover({ directory, before }: Hit): Promise<void> {
  await done(treeAt(directory), 'recover');
  requireAsBefore(before, directory);
  const again = await done(treeAt(directory), 'recover');
  assert.equal(again.stdout, 'nothing to recover\n');
  requireAsBefore(before, directory);
}

/** Whole, with its mode and owner, at one of its places. */
function requireComplete({ directory, before }: Hit, places = [manifestPath, waitingPath]): void {
  const manifest = before.get(manifestPath) ?? assert.fail('no manifest was laid');
  const now = snapshot(directory);
  const differences = places.map((place) =>
    changes(new Map([[place, manifest]]), new Map([...now].filter(([path]) => path === place))),
  );
  assert.ok(
    differences.some((lines) => lines.length === 0),
    `complete nowhere: ${differences.flat().join(', ')}`,
  );
}

describe('restart, killed at any call', () => {
  for (const [what, special, count] of [
    ['recover puts the manifest back', {}, 6],
    ['a manifest that is a symlink', { linked: true }, 1],
    ['a file system without hard links', { injections: noLinks }, 3],
  ] as const) {
    test(what, async (t) => {
      const bed = await restartBed(t, special);
      if (bed === undefined) return;
      assert.ok(bed.points.length > 35, `only ${String(bed.points.length)} calls`);
      await atEach(
        t,
        bed,
        chosenOf(bed.points, count),
        () => killed,
        async (hit) => {
          assert.equal(hit.run.signal, 'SIGKILL');
          requireComplete(hit);
          await recover(hit);
        },
      );
    });
  }

  test('manifests on another file system', async (t) => {
    const elsewhere = mountsFor(t);
    if (elsewhere === undefined) return;
    const bed = await restartBed(t, { elsewhere });
    if (bed === undefined) return;
    assert.ok(
      bed.points.some(({ call, line }) => call === 'link' && line.includes('EXDEV')),
      'it is another one',
    );
    await atEach(
      t,
      bed,
      chosenOf(bed.points, 3),
      () => killed,
      async (hit) => {
        requireComplete(hit);
        await recover(hit);
      },
    );
  });

  test('the next renewal puts it back', async (t) => {
    const bed = await restartBed(t);
    if (bed === undefined) return;
    await atEach(
      t,
      bed,
      chosenOf(bed.points, 2),
      () => killed,
      async ({ directory, before }) => {
        const { stdout } = await done(treeAt(directory), 'renew', 'scheduler.conf');
        assert.match(stdout, / renewed$/m);
        requireManifest(before, directory, /^~ etc\/kubernetes\/scheduler\.conf content$/);
      },
    );
  });
});

describe('restart, any call fails', () => {
  for (const [what, special, lasting, count] of [
    ['once', {}, false, 6],
    ['from then on', {}, true, 5],
    ['once, without hard links', { injections: noLinks }, false, 3],
    ['from then on, without hard links', { injections: noLinks }, true, 3],
  ] as const) {
    test(what, async (t) => {
      const bed = await restartBed(t, special);
      if (bed === undefined) return;
      const codes = new Map<number | null, number>();
      await atEach(
        t,
        bed,
        chosenOf(bed.points, count),
        (index) => ({ kind: 'failed', effect: `error=${index % 2 === 0 ? 'EIO' : 'ENOSPC'}`, lasting }),
        async (hit) => {
          const { code, stderr, stdout } = hit.run;
          codes.set(code, (codes.get(code) ?? 0) + 1);
          assert.doesNotMatch(stderr, /internal error|\n\s+at /);
          // One error that passes never leaves the component without its manifest.
          assert.ok([0, 1, 8, ...(lasting ? [9] : [])].includes(code ?? -1), 'the exit code');
          if (code === 0) assert.equal(stdout, 'kube-scheduler restarted\n');
          else assert.match(stderr, /^error: \/\S+: /m);
          requireComplete(hit, code === 9 ? [manifestPath, waitingPath] : [manifestPath]);
          if (code === 9) requireSaidWhere(hit);
          await recover(hit);
        },
      );
      t.diagnostic([...codes].map(([code, times]) => `exit ${String(code)}: ${String(times)}`).join(', '));
    });
  }
});

/** The message leads to the manifest. */
function requireSaidWhere({ run, directory }: Hit): void {
  const { stderr } = run;
  assert.match(stderr, /^hint: .*kubepki certs recover/m);
  if (lstatSync(join(directory, manifestPath), { throwIfNoEntry: false }) === undefined) {
    assert.ok(stderr.includes(`the manifest waits in ${join(directory, waitingPath)}`));
    assert.ok(readFileSync(join(directory, waitingPath)).length > 0);
  } else {
    assert.match(stderr, /^error: \S+: is in its place, but /m);
  }
}

describe('restart, interrupted at any call', () => {
  for (const [what, special, count] of [
    ['the manifest is in its place at once', {}, 6],
    ['also where there are no hard links', { injections: noLinks }, 3],
  ] as const) {
    test(what, async (t) => {
      const bed = await restartBed(t, special);
      if (bed === undefined) return;
      const signals = [
        ['SIGTERM', 143],
        ['SIGINT', 130],
      ] as const;
      const chosen = chosenOf(bed.points, count);
      await atEach(
        t,
        bed,
        chosen,
        (index) => ({ kind: 'signalled', effect: `signal=${signals[index % 2]?.[0] ?? ''}` }),
        async (hit) => {
          const [, code] = signals[chosen.indexOf(hit.point) % 2] ?? signals[0];
          assert.equal(hit.run.code, code);
          assert.match(
            hit.run.stderr,
            /^interrupted: (?:nothing was changed|kube-scheduler was (?:being )?stopped|restarted: kube-scheduler)/m,
          );
          requireAsBefore(hit.before, hit.directory);
          const { stdout } = await certs(treeAt(hit.directory), 'recover');
          assert.equal(stdout, 'nothing to recover\n');
        },
      );
    });
  }
});
