import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { certsInProcess as certs, kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { quickTree } from '../../support/node.ts';

describe('the state of a cert dir', () => {
  test('two names of one cert dir share one state', async (t) => {
    const copy = quickTree(t);
    symlinkSync('pki', join(copy.kubeconfigDir, 'alias'));
    assert.equal(
      (
        await kubepki([
          'certs',
          'renew',
          'apiserver',
          '--rootfs',
          copy.directory,
          '--cert-dir',
          '/etc/kubernetes/alias',
        ])
      ).code,
      0,
    );
    assert.equal((await certs(copy, 'history')).stdout.split('\n').length, 3);
  });
});
