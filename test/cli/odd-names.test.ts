import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { kubepki } from '../support/kubepki.ts';
import { certs, quickTree } from '../support/node.ts';

describe('odd names', () => {
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

  test('names with spaces and non-ASCII characters', async (t) => {
    const copy = quickTree(t);
    const odd = join(copy.directory, 'Schlüssel und Zertifikate');
    mkdirSync(odd);
    spawnSync('cp', ['-a', copy.certDir, join(odd, 'pki für alle')]);
    const outcome = await kubepki([
      'certs',
      'renew',
      'etcd-server',
      '--cert-dir',
      join(odd, 'pki für alle'),
      '--kubeconfig-dir',
      copy.kubeconfigDir,
    ]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.ok(readdirSync(odd).includes('kubepki'));
  });
});
