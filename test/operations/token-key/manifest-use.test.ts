import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openNode } from '../../../src/node/node-options.ts';
import { readTokenKeyNode } from '../../../src/node/token-keys.ts';
import { manifestFaults } from '../../../src/operations/token-key/manifest-use.ts';
import { edit, verifiedNode } from '../../support/planners/verified-node.ts';
import { copyFileSync, rmSync } from 'node:fs';

const apiserver = 'etc/kubernetes/manifests/kube-apiserver.yaml';
const manager = 'etc/kubernetes/manifests/kube-controller-manager.yaml';
const keyFile = '--service-account-key-file=/etc/kubernetes/pki/sa.pub';

type Change = (text: string) => string;

const replaced =
  (from: string, to: string): Change =>
  (text) =>
    text.replace(from, to);

describe('what the manifests of a node say of the keys of tokens', () => {
  for (const [what, manifest, change, expected] of [
    ['as kubeadm has it', apiserver, undefined, []],
    [
      'several files',
      apiserver,
      replaced(keyFile, `${keyFile}\n    - --service-account-key-file=/etc/kubernetes/pki/ca.crt`),
      [],
    ],
    [
      'sa.pub by another path',
      apiserver,
      replaced(keyFile, '--service-account-key-file=/etc/kubernetes/pki/link.pub'),
      [],
    ],
    [
      'a flag and its value as two words',
      apiserver,
      replaced(keyFile, '--service-account-key-file\n    - /etc/kubernetes/pki/sa.pub'),
      [],
    ],
    [
      'sa.key itself',
      apiserver,
      replaced(keyFile, '--service-account-key-file=/etc/kubernetes/pki/sa.key'),
      [/judge tokens by the private key/],
    ],
    [
      'another file',
      apiserver,
      replaced(keyFile, '--service-account-key-file=/etc/kubernetes/pki/ca.crt'),
      [/by other files than sa\.pub: \/etc\/kubernetes\/pki\/ca\.crt$/],
    ],
    ['no flag', apiserver, replaced(`    - ${keyFile}\n`, ''), [/has no --service-account-key-file/]],
    [
      'another key that signs',
      apiserver,
      replaced(
        '--service-account-signing-key-file=/etc/kubernetes/pki/sa.key',
        '--service-account-signing-key-file=/etc/kubernetes/pki/ca.key',
      ),
      [/has kube-apiserver sign tokens with \/etc\/kubernetes\/pki\/ca\.key/],
    ],
    [
      'no key that signs, as before 1.20',
      apiserver,
      replaced('    - --service-account-signing-key-file=/etc/kubernetes/pki/sa.key\n', ''),
      [],
    ],
    [
      'another program that signs',
      apiserver,
      replaced(
        '--service-account-signing-key-file=/etc/kubernetes/pki/sa.key',
        '--service-account-signing-endpoint=/run/sign.sock',
      ),
      [/another program sign the tokens/],
    ],
    [
      'a path that is not mounted',
      manager,
      replaced(
        '--service-account-private-key-file=/etc/kubernetes/pki/sa.key',
        '--service-account-private-key-file=/elsewhere/sa.key',
      ),
      [/has kube-controller-manager sign tokens with \/elsewhere\/sa\.key/],
    ],
    ['no YAML', manager, () => '{', [/YAML/]],
  ] as const satisfies readonly (readonly [string, string, Change | undefined, readonly RegExp[]])[]) {
    test(what, (t) => {
      const tree = verifiedNode(t);
      symlinkSync('sa.pub', join(tree.certDir, 'link.pub'));
      if (change !== undefined) edit(tree, manifest, change);
      const node = openNode({ rootfs: tree.directory }, { config: undefined, configFrom: 'nobody' });
      const { pods, named, files } = readTokenKeyNode(node);
      const faults = manifestFaults(pods, named, files).map(({ oneLine }) => oneLine);
      assert.equal(faults.length, expected.length, faults.join('\n'));
      for (const [index, one] of expected.entries()) assert.match(faults[index] ?? '', one);
    });
  }

  test('where sa.pub is a link, what it leads to is what is read and written', (t) => {
    const tree = verifiedNode(t);
    mkdirSync(join(tree.directory, 'etc/kubernetes/keys'));
    copyFileSync(join(tree.certDir, 'sa.pub'), join(tree.directory, 'etc/kubernetes/keys/sa.pub'));
    rmSync(join(tree.certDir, 'sa.pub'));
    symlinkSync('/etc/kubernetes/keys/sa.pub', join(tree.certDir, 'sa.pub'));
    const node = openNode({ rootfs: tree.directory }, { config: undefined, configFrom: 'nobody' });
    const { pods, named, files } = readTokenKeyNode(node);
    assert.deepEqual(manifestFaults(pods, named, files), []);
  });
});
