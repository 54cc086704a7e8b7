import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { changes, copyFixture, snapshot } from './tree.ts';

test('a copy of a fixture has the modes kubeadm gives', (t) => {
  const { certDir, kubeconfigDir } = copyFixture(t, 'stacked-etcd-rsa');
  const modes = snapshot(kubeconfigDir);
  assert.equal(modes.get('admin.conf')?.mode, '0600');
  assert.equal(modes.get('pki/apiserver.key')?.mode, '0600');
  assert.equal(modes.get('pki/apiserver.crt')?.mode, '0644');
  assert.equal(modes.get('pki/etcd')?.mode, '0755');
  assert.ok(statSync(certDir).isDirectory());
});

test('a snapshot sees every kind of change, and nothing where there is none', (t) => {
  const { certDir } = copyFixture(t, 'stacked-etcd-rsa');
  const path = (name: string): string => join(certDir, name);
  const before = snapshot(certDir);
  assert.deepEqual(changes(before, snapshot(certDir), { inodes: true }), []);

  writeFileSync(path('apiserver.crt'), 'x');
  chmodSync(path('apiserver.key'), 0o644);
  rmSync(path('sa.pub'));
  symlinkSync('apiserver.crt', path('new.crt'));
  rmSync(path('front-proxy-client.crt'));
  symlinkSync('front-proxy-ca.crt', path('front-proxy-client.crt'));
  assert.deepEqual(
    changes(before, snapshot(certDir)).map((line) => line.replace(/^(\+ \S+) \d+$/, '$1')),
    [
      '~ apiserver.crt content',
      '~ apiserver.key mode 0600 -> 0644',
      '~ front-proxy-client.crt file -> link content link - -> front-proxy-ca.crt mode 0644 -> 0777',
      '+ new.crt',
      '- sa.pub',
    ],
  );
});

test('a file rewritten with the same content shows by its inode only', (t) => {
  const { certDir } = copyFixture(t, 'stacked-etcd-rsa');
  const before = snapshot(certDir);
  copyFileSync(join(certDir, 'ca.crt'), join(certDir, 'staged'));
  renameSync(join(certDir, 'staged'), join(certDir, 'ca.crt'));
  assert.deepEqual(changes(before, snapshot(certDir)), []);
  assert.deepEqual(changes(before, snapshot(certDir), { inodes: true }), ['~ ca.crt inode']);
});
