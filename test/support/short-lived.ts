import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { done, quickTree } from './node.ts';
import type { Cleanup, Tree } from './tree.ts';

/** A node on which everything is good for a year from now, but for these, which end in so many days. */
export async function treeEnding(t: Cleanup, endings: Readonly<Record<string, number>> = {}): Promise<Tree> {
  const tree = quickTree(t);
  await done(tree, 'renew', 'all');
  for (const [name, days] of Object.entries(endings)) {
    await done(tree, 'renew', name, '--validity', `${String(days)}d`);
  }
  return tree;
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
