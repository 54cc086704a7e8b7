import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { doneInProcess as done } from '../../support/in-process.ts';
import { leafFacts, leafFiles } from '../../support/certificates/certificates.ts';
import { judge } from '../../support/judge.ts';
import { copyFixture, temporaryDirectory, type Tree } from '../../support/tree.ts';

const keys = ['ca.key', 'etcd/ca.key', 'front-proxy-ca.key'];

/** Moves the CA keys of a tree elsewhere. @returns where, with the names that they have in a cert dir */
function takeKeysAway(t: TestContext, { certDir }: Tree): string {
  const home = temporaryDirectory(t);
  mkdirSync(join(home, 'etcd'));
  for (const key of keys) renameSync(join(certDir, key), join(home, key));
  return home;
}

/** Runs the commands that were printed, as they were printed. */
function sign(stderr: string, home: string): number {
  const commands = [...stderr.matchAll(/^hint: .*; with openssl 3: (.*)$/gm)].map(
    ([, command = '']) => command,
  );
  for (const command of commands) {
    execFileSync('/bin/sh', ['-e', '-c', command], { cwd: home, stdio: ['ignore', 'ignore', 'pipe'] });
  }
  return commands.length;
}

describe('a CSR is signed as the hint says', () => {
  test('renew --csr-only: which CA and which usages are said; openssl makes what kubeadm would, and install takes it', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = copyFixture(t, 'v1.35-dual-stack');
    const original = leafFiles(copyFixture(t, 'v1.35-dual-stack'), temporaryDirectory(t));
    const home = takeKeysAway(t, tree);
    const { stdout, stderr } = await done(tree, 'renew', 'all', '--csr-only', '--csr-dir', '/the csr');
    const pki = `${tree.directory}/etc/kubernetes/pki`;
    assert.match(
      stdout.replaceAll(pki, 'PKI'),
      /etcd-peer\.crt \(expected here\)\n {2}CA {11}etcd-ca \(PKI\/etcd\/ca\.crt\)\n {2}usages {7}serverAuth, clientAuth\n/,
    );
    assert.equal(stdout.match(/^ {2}usages {7}/gm)?.length, original.length);
    assert.match(
      stderr.replaceAll(pki, 'PKI'),
      /^hint: front-proxy-ca \(PKI\/front-proxy-ca\.crt\) signs front-proxy-client for clientAuth; with openssl 3: /m,
    );
    // A command for each CA and each set of usages.
    assert.equal(sign(stderr, home), 5);
    await done(tree, 'install', '--csr-dir', '/the csr');
    const facts = (from: typeof original): unknown[] =>
      from.map((leaf) => {
        const { subject, subjectAltName, extendedKeyUsage, keyUsage } = leafFacts(openssl, leaf);
        return { name: leaf.name, subject, subjectAltName, extendedKeyUsage, keyUsage };
      });
    const installed = leafFiles(tree, temporaryDirectory(t));
    assert.deepEqual(facts(installed), facts(original));
    for (const leaf of installed) {
      assert.match(leafFacts(openssl, leaf).basicConstraints, /critical\s+CA:FALSE/, leaf.name);
    }
  });

  test('beside the key in use, a certificate goes where it is expected', async (t) => {
    if (judge(t, 'openssl') === undefined) return;
    const tree = copyFixture(t, 'ipv6');
    const home = takeKeysAway(t, tree);
    const before = readFileSync(join(tree.certDir, 'apiserver.crt'), 'utf8');
    const { stderr } = await done(tree, 'renew', 'apiserver', 'etcd-server', 'etcd-peer', '--csr-only');
    assert.equal(sign(stderr, home) > 1, true);
    assert.equal(readFileSync(join(tree.certDir, 'apiserver.crt'), 'utf8'), before);
    const { stdout } = await done(tree, 'install');
    assert.equal(stdout.match(/ installed, ends /g)?.length, 3);
  });

  test('generate-csr: beside the words of kubeadm, on stderr', async (t) => {
    if (judge(t, 'openssl') === undefined) return;
    const source = copyFixture(t, 'ipv6');
    const directory = temporaryDirectory(t);
    const kubeconfigDir = join(directory, 'etc/kubernetes');
    const tree: Tree = { directory, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
    writeFileSync(
      join(directory, 'kubeadm.yaml'),
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nnodeRegistration: {name: cp-1}\nlocalAPIEndpoint: {advertiseAddress: 192.0.2.10}\n' +
        '---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nencryptionAlgorithm: ECDSA-P256\n',
    );
    const { stdout, stderr } = await done(tree, 'generate-csr', '--config', '/kubeadm.yaml');
    assert.doesNotMatch(stdout, /openssl|usages/);
    for (const name of ['ca', 'etcd/ca', 'front-proxy-ca']) {
      mkdirSync(dirname(join(tree.certDir, name)), { recursive: true });
      cpSync(join(source.certDir, `${name}.crt`), join(tree.certDir, `${name}.crt`));
    }
    sign(stderr, source.certDir);
    await done(tree, 'install');
    assert.match((await done(tree, 'check-expiration')).stdout, /^super-admin\.conf /m);
  });

  test('no hint stands beside a document', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    const { stderr } = await done(tree, 'renew', 'etcd-peer', '--csr-only', '-o', 'json');
    assert.doesNotMatch(stderr, /openssl/);
  });
});
