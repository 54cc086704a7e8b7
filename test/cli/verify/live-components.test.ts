import assert from 'node:assert/strict';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { makeLeaf } from '../../support/certificates/served-leaf.ts';
import { makeCa } from '../../support/certificates/resigned.ts';
import { judge } from '../../support/judge.ts';
import { edit } from '../../support/planners/verified-node.ts';
import { freePorts } from '../../support/servers/free-ports.ts';
import { listenAt, nodeWith, verifyLive } from '../../support/servers/live-node.ts';
import { opensslServer, type ServedFiles } from '../../support/servers/tls-servers.ts';
import { temporaryDirectory, type Tree } from '../../support/tree.ts';

const past = { start: '20260101000000Z', end: '20260201000000Z' } as const;

/** A certificate that a component makes for itself: its CA is nowhere. */
function selfMade(t: TestContext, openssl: string, dates: Partial<typeof past> = {}): ServedFiles {
  const at = (name: string): string => join(temporaryDirectory(t), name);
  const [ca, leaf] = [at('ca'), at('leaf')];
  makeCa(openssl, ca, 'localhost-ca@1');
  makeLeaf(openssl, leaf, { by: ca, names: 'DNS:localhost', ...dates });
  return { certificate: `${leaf}.crt`, key: `${leaf}.key` };
}

/** It listens at this port of loopback. */
function componentAt(tree: Tree, component: string, port: number): void {
  edit(tree, `etc/kubernetes/manifests/${component}.yaml`, (text) =>
    text.replace('--bind-address=127.0.0.1', `--bind-address=127.0.0.1\n    - --secure-port=${String(port)}`),
  );
}

function kubeletAt(tree: Tree, port: number, more = ''): void {
  edit(tree, 'var/lib/kubelet/config.yaml', (text) => `${text}port: ${String(port)}\n${more}`);
}

/** What the kubelet has on disk for its servers. */
function giveKubelet(tree: Tree, { certificate, key }: ServedFiles): void {
  copyFileSync(certificate, join(tree.directory, 'var/lib/kubelet/pki/kubelet.crt'));
  copyFileSync(key, join(tree.directory, 'var/lib/kubelet/pki/kubelet.key'));
}

describe('verify --live', () => {
  test('says of a node on which everything serves what it should that all is well', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = nodeWith(
      t,
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      'etcd',
      'kubelet',
    );
    const pki = (name: string): ServedFiles => ({
      certificate: join(tree.certDir, `${name}.crt`),
      key: join(tree.certDir, `${name}.key`),
    });
    listenAt(tree, await opensslServer(t, openssl, pki('apiserver')));
    // They take only clients of their own CA.
    const mutual = ['-Verify', '1', '-verify_return_error', '-CAfile', join(tree.certDir, 'etcd/ca.crt')];
    const clients = await opensslServer(t, openssl, pki('etcd/server'), [...mutual, '-tls1_2']);
    const peers = await opensslServer(t, openssl, pki('etcd/peer'), mutual);
    edit(tree, 'etc/kubernetes/manifests/etcd.yaml', (text) =>
      text
        .replace(/--listen-client-urls=.*/, `--listen-client-urls=https://127.0.0.1:${String(clients)}`)
        .replace(/--listen-peer-urls=.*/, `--listen-peer-urls=https://127.0.0.1:${String(peers)}`),
    );
    for (const component of ['kube-controller-manager', 'kube-scheduler'])
      componentAt(tree, component, await opensslServer(t, openssl, selfMade(t, openssl)));
    const own = selfMade(t, openssl);
    giveKubelet(tree, own);
    kubeletAt(tree, await opensslServer(t, openssl, own));
    const { live, code, stdout } = await verifyLive(tree, '--live');
    assert.deepEqual([live, code], [[], 0], stdout);
    assert.match(stdout, /^OK +live-answers +.*\(6\)$/m);
    assert.match(stdout, /^OK +live-served +.*\(4\)$/m);
    assert.match(stdout, /^OK +live-valid +.*\(6\)$/m);
  });

  test('says which components do not answer, and where to look', async (t) => {
    const tree = nodeWith(t, 'kube-controller-manager', 'kubelet');
    const [first = 0, second = 0] = await freePorts(2);
    componentAt(tree, 'kube-controller-manager', first);
    kubeletAt(tree, second);
    const { live, code, stdout } = await verifyLive(tree, '--live');
    assert.deepEqual([live, code], [['UNCHECKED live-answers', 'UNCHECKED live-answers'], 1], stdout);
    assert.match(
      stdout,
      /: kube-controller-manager shows no certificate: connection refused; next: .*crictl/,
    );
    assert.match(
      stdout,
      /: kubelet shows no certificate: connection refused; next: .*systemctl status kubelet/,
    );
  });

  test('warns of a certificate that a component has made itself and that has expired: nobody verifies it', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = nodeWith(t, 'kube-scheduler');
    componentAt(tree, 'kube-scheduler', await opensslServer(t, openssl, selfMade(t, openssl, past)));
    const { live, code, stdout } = await verifyLive(tree, '--live');
    assert.deepEqual([live, code], [['WARNING live-valid'], 0], stdout);
    assert.match(
      stdout,
      /kube-scheduler serves a certificate that expired on 2026-02-01T00:00:00Z; next: restart it: kubepki restart kube-scheduler/,
    );
  });

  test('of the kubelet: it serves another certificate than it has on disk', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = nodeWith(t, 'kubelet');
    giveKubelet(tree, selfMade(t, openssl));
    kubeletAt(tree, await opensslServer(t, openssl, selfMade(t, openssl)));
    const { live, code, stdout } = await verifyLive(tree, '--live');
    assert.deepEqual([live, code], [['ERROR live-served'], 5], stdout);
    assert.match(
      stdout,
      /kubelet at 127\.0\.0\.1:\d+ serves another certificate .*restart it: systemctl restart kubelet/,
    );
  });

  test('of the kubelet with serverTLSBootstrap: its certificate must be of the CA', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const bootstrap = 'serverTLSBootstrap: true\n';
    for (const isOfTheCa of [true, false]) {
      const tree = nodeWith(t, 'kubelet');
      const leaf = join(temporaryDirectory(t), 'leaf');
      makeLeaf(openssl, leaf, { by: join(tree.certDir, 'ca'), names: 'DNS:cp-1' });
      const served = isOfTheCa ? { certificate: `${leaf}.crt`, key: `${leaf}.key` } : selfMade(t, openssl);
      rmSync(join(tree.directory, 'var/lib/kubelet/pki/kubelet.crt'), { force: true });
      kubeletAt(tree, await opensslServer(t, openssl, served), bootstrap);
      const { live, stdout } = await verifyLive(tree, '--live');
      assert.deepEqual(live, isOfTheCa ? [] : ['ERROR live-valid'], stdout);
    }
  });
});
