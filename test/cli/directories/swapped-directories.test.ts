/** The owner of the cert dir puts symlinks in the place of its directories while root works in them: nothing is left where they lead. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { stopped, type Moment } from '../../faults/stopped.ts';
import { judge } from '../../support/judge.ts';
import { certsInProcess as certs } from '../../support/in-process.ts';
import { quickTree, stateDirectory } from '../../support/node.ts';
import { mayChown } from '../../support/root.ts';
import { changes, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

const stranger = '12345:12345';

/** Before anything is staged; when all is, and the next is the point of no return; between two files that take their places. */
const moments: readonly (readonly [what: string, at: (tree: Tree) => Moment])[] = [
  [
    'before a file is made',
    (tree) => ({ call: 'fsync', path: join(stateDirectory(tree), 'journal.json.new'), nth: 1 }),
  ],
  ['before the point of no return', () => ({ call: 'rename', nth: 1 })],
  ['among the renames', () => ({ call: 'rename', nth: 4 })],
];

/** What is swapped, below the cert dir; the directories that whatever it leads to must have for our paths to go on. */
const swapped: readonly (readonly [directory: string, inside: readonly string[]])[] = [
  ['etcd', []],
  ['.kubepki', ['backups']],
  ['.', ['etcd', '.kubepki/backups']],
];

describe('a directory of another user’s becomes a symlink', () => {
  for (const [directory, inside] of swapped) {
    for (const [what, at] of moments) {
      test(`${directory}, ${what}`, async (t) => {
        const strace = judge(t, 'strace');
        if (strace === undefined || !mayChown(t)) return;
        const tree = quickTree(t);
        assert.equal(spawnSync('chown', ['-R', stranger, tree.directory]).status, 0);
        const victim = temporaryDirectory(t);
        for (const one of inside) mkdirSync(join(victim, one), { recursive: true });
        const before = snapshot(victim);
        const run = await stopped(t, strace, tree, ['renew', 'all'], at(tree));
        const place = join(tree.certDir, directory);
        const away = `${place.replace(/\/$/, '')}.away`;
        renameSync(place, away);
        symlinkSync(victim, place);
        const outcome = await run.resume();
        // Once every new file is in its place, what is left is tidying up.
        assert.match(outcome.stderr, outcome.code === 0 ? /^warning: .* not tidied up after/m : /^error: /m);
        assert.doesNotMatch(outcome.stderr, /internal error/);
        assert.deepEqual(changes(before, snapshot(victim)), []);
        // Put back, it is brought to an end.
        unlinkSync(place);
        renameSync(away, place);
        const recovered = await certs(tree, 'recover');
        assert.equal(recovered.code, 0, recovered.stderr);
        const next = await certs(tree, 'renew', 'all');
        assert.equal(next.code, 0, next.stderr);
        assert.deepEqual(changes(before, snapshot(victim)), []);
      });
    }
  }
});
