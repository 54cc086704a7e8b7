/** Runs of different kinds at once: each change is made on top of a whole one. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { requireSound, requireTidy } from '../../faults/invariants.ts';
import { kubepki } from '../../support/kubepki.ts';
import { stateDirectory } from '../../support/node.ts';
import { copyFixture, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

const each = 10;

/** The files of the set by their path, each with its digest: as they are now, and as each change found them. */
function generations(tree: Tree): ReadonlyMap<string, string>[] {
  const backups = join(stateDirectory(tree), 'backups');
  const kept = readdirSync(backups).map((id) => {
    const { files } = JSON.parse(readFileSync(join(backups, id, 'manifest.json'), 'utf8')) as {
      readonly files: readonly {
        readonly path: { readonly in: string; readonly path: string };
        readonly old: { readonly sha256: string };
      }[];
    };
    const places: Readonly<Record<string, string>> = {
      'cert-dir': 'etc/kubernetes/pki',
      'kubeconfig-dir': 'etc/kubernetes',
    };
    return new Map(files.map(({ path, old }) => [join(places[path.in] ?? '', path.path), old.sha256]));
  });
  const paths = [...(kept[0]?.keys() ?? [])];
  const now = snapshot(tree.directory);
  return [...kept, new Map(paths.map((path) => [path, now.get(path)?.sha256 ?? 'missing']))];
}

test(`${String(each)} renewals and ${String(each)} rollbacks at once never mix`, async (t) => {
  const tree = copyFixture(t, 'ipv6');
  const run = (...args: string[]): ReturnType<typeof kubepki> =>
    kubepki(['certs', ...args, '--rootfs', tree.directory, '--keep-backups', '100', '--lock-timeout', '5m']);
  assert.equal((await run('renew', 'all')).code, 0);
  const outcomes = await Promise.all(
    Array.from({ length: each }, () => [run('renew', 'all'), run('rollback')]).flat(),
  );
  // A rollback goes back, and never forward: there may be nothing further back when its turn comes.
  const refused = outcomes.filter(({ stderr }) => stderr.includes(': nothing is further back: '));
  for (const { code } of refused) assert.equal(code, 1);
  for (const { code, stderr } of outcomes) if (code !== 0) assert.match(stderr, /nothing is further back/);
  requireSound(tree, join(temporaryDirectory(t), 'sound'));
  requireTidy(tree);

  const seen = generations(tree);
  assert.equal(seen.length, 1 + 2 * each - refused.length + 1);
  // A file belongs to one generation alone: whoever shares one file with another shares all of them.
  const wholes = new Map<string, string>();
  for (const generation of seen) {
    assert.equal(generation.size, 17);
    const whole = JSON.stringify([...generation]);
    for (const [path, sha256] of generation) {
      const known = wholes.get(`${path} ${sha256}`);
      assert.equal(known ?? whole, whole, `${path} is of another generation than the rest`);
      wholes.set(`${path} ${sha256}`, whole);
    }
  }
  const different = new Set(seen.map((generation) => JSON.stringify([...generation]))).size;
  t.diagnostic(
    `${String(refused.length)} refused, ${String(seen.length)} states, ${String(different)} of them different`,
  );
  assert.equal(different, 2 + each, 'the original, and what each renewal made');
});
