import assert from 'node:assert/strict';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KubepkiError } from '../../src/errors/error.ts';
import { FileSystemRoot } from '../../src/filesystem/root.ts';
import { requireNodeAccess } from '../../src/node/cluster-access.ts';
import { quickTree } from '../support/node.ts';
import { mayChown } from '../support/root.ts';

test("another user's admin.conf does not say which cluster answers, unless it is named", (t) => {
  if (!mayChown(t)) return;
  const tree = quickTree(t);
  const layout = { root: FileSystemRoot.open(tree.directory, '/'), kubeconfigDir: tree.kubeconfigDir };
  const path = join(tree.kubeconfigDir, 'admin.conf');
  assert.ok(requireNodeAccess(layout, undefined).server.host);
  chownSync(path, 4321, 4321);
  assert.throws(
    () => requireNodeAccess(layout, undefined),
    (error) =>
      error instanceof KubepkiError &&
      error.file === path &&
      error.message === 'belongs to uid 4321, who would decide which cluster answers',
  );
  assert.ok(requireNodeAccess(layout, '/etc/kubernetes/admin.conf').server.host);
});
