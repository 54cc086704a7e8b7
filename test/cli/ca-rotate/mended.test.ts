import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { kubepkiInProcess } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { type Cleanup, type Tree } from '../../support/tree.ts';
import { accepted, ca, copiesOf, done, isTakenBy, rotatedNode, stage } from './rotated-node.ts';

const pem = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n/g;

const leaves = [
  ['ca', 'apiserver.crt', 'sslserver'],
  ['etcd-ca', 'etcd/server.crt', 'sslserver'],
  ['front-proxy-ca', 'front-proxy-client.crt', 'sslclient'],
] as const;

function certificatesIn(text: string): readonly string[] {
  return text.match(pem) ?? [];
}

function held(kubeconfig: string, field: string): readonly string[] {
  const [, data = ''] = new RegExp(`${field}: (\\S+)`).exec(readFileSync(kubeconfig, 'utf8')) ?? [];
  return certificatesIn(Buffer.from(data, 'base64').toString());
}

/** As "kubeadm certs renew" writes it: the certificate alone, and in a kubeconfig the first CA of ca.crt alone. */
function writtenByKubeadm({ certDir, kubeconfigDir }: Tree): void {
  for (const [, name] of leaves) {
    const file = join(certDir, name);
    writeFileSync(file, certificatesIn(readFileSync(file, 'utf8'))[0] ?? '');
  }
  for (const name of ['admin.conf', 'scheduler.conf']) {
    const file = join(kubeconfigDir, name);
    const [leaf = ''] = held(file, 'client-certificate-data');
    const [first = ''] = certificatesIn(readFileSync(join(certDir, 'ca.crt'), 'utf8'));
    const text = readFileSync(file, 'utf8')
      .replace(
        /client-certificate-data: \S+/,
        `client-certificate-data: ${Buffer.from(leaf).toString('base64')}`,
      )
      .replace(
        /certificate-authority-data: \S+/,
        `certificate-authority-data: ${Buffer.from(first).toString('base64')}`,
      );
    writeFileSync(file, text);
  }
}

describe('what others have written after the switch', () => {
  const cleanUps: (() => void)[] = [];
  let made: Promise<Readonly<Record<string, Tree>>> | undefined;
  const rotated = async (t: Cleanup, name: string): Promise<Tree> => {
    made ??= rotatedNode({ after: (cleanUp) => cleanUps.push(cleanUp) });
    const tree = copiesOf(await made, t)[name];
    assert.ok(tree);
    return tree;
  };
  after(() => {
    for (const cleanUp of cleanUps) cleanUp();
  });

  test('"kubeadm certs renew": switch again completes it, and no later stage begins before', async (t) => {
    const tree = await rotated(t, 'switch');
    const { directory, certDir, kubeconfigDir } = tree;
    const admin = join(kubeconfigDir, 'admin.conf');
    const sound = held(admin, 'client-certificate-data');
    const keys = readFileSync(join(certDir, 'apiserver.key'), 'utf8');
    writtenByKubeadm(tree);

    const { stdout: status } = await done(directory, 'status', '--offline');
    assert.match(status, /files {6}ca: between trust and switch: some files are not at switch yet\n/);
    for (const name of ['apiserver.crt', 'admin.conf', 'etcd/server.crt', 'front-proxy-client.crt']) {
      assert.match(
        status,
        new RegExp(`${name}: a certificate of the new CA, without the cross-certificate\n`),
      );
    }
    assert.match(status, /admin\.conf: the new CA alone\n/);
    const next = await done(directory, 'rotate', '--offline');
    assert.match(next.stdout, /next is switch/);
    assert.match(next.stderr, /hint: on this node: .*ca rotate switch/);
    const { stdout: verified } = await kubepkiInProcess(['verify', '--rootfs', directory]);
    assert.doesNotMatch(verified, /^ERROR/m);
    assert.match(
      verified,
      /apiserver\.crt.*without the cross-certificate, and other files of ca are at switch/,
    );
    assert.match(verified, /ca rotate switch/);
    for (const later of ['distrust', 'finish']) {
      const early = await ca(directory, 'rotate', later, '--offline', '--accept', accepted);
      assert.equal(early.code, 1);
      assert.match(early.stderr, /this node is not that far with ca: between trust and switch/);
    }

    await stage(directory, 'switch');
    const { stdout: mended } = await done(directory, 'status', '--offline');
    for (const name of ['ca', 'etcd-ca', 'front-proxy-ca']) {
      assert.match(mended, new RegExp(`files {6}${name}: at switch\n`));
    }
    assert.equal(readFileSync(join(certDir, 'apiserver.key'), 'utf8'), keys, 'no other certificate is made');
    assert.deepEqual(held(admin, 'client-certificate-data'), sound);
    assert.equal(held(admin, 'certificate-authority-data').length, 2);
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    for (const [authority, leaf, purpose] of leaves) {
      for (const which of ['old', 'next']) {
        const root = join(certDir, '.kubepki/rotation', `${authority}.${which}.crt`);
        assert.ok(isTakenBy(openssl, root, join(certDir, leaf), purpose), `${which}: ${leaf}`);
      }
    }
    await stage(directory, 'distrust');
  });

  test('a backup from before: switch again makes the certificate anew, and has both CAs trusted', async (t) => {
    const { directory, certDir, kubeconfigDir } = await rotated(t, 'switch');
    const before = await rotated(t, 'before');
    for (const name of ['apiserver.crt', 'apiserver.key', 'etcd/peer.crt', 'etcd/peer.key']) {
      cpSync(join(before.certDir, name), join(certDir, name));
    }
    cpSync(join(before.kubeconfigDir, 'admin.conf'), join(kubeconfigDir, 'admin.conf'));
    const { stdout: status } = await done(directory, 'status', '--offline');
    assert.match(status, /files {6}ca: between trust and switch/);
    assert.match(status, /apiserver\.crt: a certificate of the old CA\n/);
    assert.match(status, /admin\.conf: the old CA alone\n/);
    await stage(directory, 'switch');
    const { stdout: mended } = await done(directory, 'status', '--offline');
    assert.match(mended, /files {6}ca: at switch\n/);
    assert.match(mended, /files {6}etcd-ca: at switch\n/);
    assert.equal(held(join(kubeconfigDir, 'admin.conf'), 'certificate-authority-data').length, 2);
    assert.equal(held(join(kubeconfigDir, 'admin.conf'), 'client-certificate-data').length, 2);
  });
});
