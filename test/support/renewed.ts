import assert from 'node:assert/strict';
import { join } from 'node:path';
import { leafFiles, type LeafFiles } from './certificates/certificates.ts';
import { copyFixture, temporaryDirectory, type Cleanup, type Tree } from './tree.ts';
import { kubepkiInProcess as kubepki } from './in-process.ts';

/** A fixture after the real `kubepki certs renew all`, and what it was before. */
export interface RenewedTree {
  readonly tree: Tree;
  readonly leaves: readonly LeafFiles[];
  /** The same certificates in a copy that was left alone. */
  readonly originals: readonly LeafFiles[];
  /** The moments between which it was renewed. */
  readonly began: Date;
  readonly ended: Date;
}

export async function renewAll(t: Cleanup, role: string): Promise<RenewedTree> {
  const original = copyFixture(t, role);
  const tree = copyFixture(t, role);
  const scratch = temporaryDirectory(t);
  const began = new Date();
  const { code, stderr } = await kubepki(['certs', 'renew', 'all', '--rootfs', tree.directory]);
  const ended = new Date();
  assert.equal(code, 0, stderr);
  return {
    tree,
    leaves: leafFiles(tree, join(scratch, 'renewed')),
    originals: leafFiles(original, join(scratch, 'original')),
    began,
    ended,
  };
}
