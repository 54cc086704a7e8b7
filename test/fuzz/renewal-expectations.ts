import assert from 'node:assert/strict';
import { join, relative } from 'node:path';
import { certificates } from '../../src/catalog/catalog.ts';
import { requireSound, requireTidy } from '../faults/invariants.ts';
import { leafFiles } from '../support/certificates/certificates.ts';
import { fileChanges, type Snapshot, type Tree } from '../support/tree.ts';

/** The certificates of which stdout says that they were renewed. */
export function saidRenewed(stdout: string): string[] {
  const lines = stdout.split('\n');
  return certificates.filter(({ longName }) => lines.includes(`${longName} renewed`)).map(({ name }) => name);
}

interface Renewal {
  readonly tree: Tree;
  /** The directory that the tree is in; snapshots are of it. */
  readonly scratch: string;
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly stdout: string;
}

/**
 * What must hold after exit 0, whatever the mutated file made of the set: what is said to be renewed is new, nothing else
 * has changed, and every certificate of the tree verifies and has its key.
 */
export function requireRenewed({ tree, scratch, before, after, stdout }: Renewal): void {
  const renewed = saidRenewed(stdout);
  const embedded = `${scratch}-embedded`;
  const expected = leafFiles(tree, embedded)
    .filter(({ name }) => renewed.includes(name))
    .flatMap(({ name, certificate, key }) =>
      certificate.startsWith(embedded) ? [join(tree.kubeconfigDir, name)] : [certificate, key],
    )
    .map((path) => relative(scratch, path));
  assert.deepEqual(
    fileChanges(before, after, { inodes: true }),
    expected.sort().map((path) => `~ ${path} content inode`),
  );
  requireSound(tree, embedded);
  requireTidy(tree);
}
