import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { certificates } from '../../../src/catalog/catalog.ts';
import { quickTree } from '../node.ts';
import { reissue } from '../planners/planned-node.ts';
import type { Cleanup, Tree } from '../tree.ts';

/** A node on which everything is good for a year from now, but for these, which end in so many days. */
export function treeEnding(t: Cleanup, endings: Readonly<Record<string, number>> = {}): Tree {
  const tree = quickTree(t);
  for (const { name } of certificates) {
    // The fixture has none.
    if (name !== 'super-admin.conf') reissue(tree, name, { until: fromToday(endings[name] ?? 365) });
  }
  return tree;
}

function fromToday(days: number): Date {
  const seconds = Math.floor(Date.now() / 1000) + days * 24 * 3600;
  return new Date(seconds * 1000);
}

/** The same CA with the same key, which ends in so many days. */
export function shortenCa(openssl: string, tree: Tree, baseName: string, days: number): void {
  const certificate = join(tree.certDir, `${baseName}.crt`);
  const key = join(tree.certDir, `${baseName}.key`);
  execFileSync(
    openssl,
    ['x509', '-in', certificate, '-signkey', key, '-days', String(days), '-out', certificate],
    { stdio: 'ignore' },
  );
}
