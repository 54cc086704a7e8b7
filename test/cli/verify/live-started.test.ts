import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../support/deadline.ts';
import { kubepkiInProcess } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { edit } from '../../support/planners/verified-node.ts';
import { freePorts } from '../../support/servers/free-ports.ts';
import { listenAt, nodeWith } from '../../support/servers/live-node.ts';
import { temporaryDirectory, type Tree } from '../../support/tree.ts';

interface Etcd {
  /** Ends it, and starts it anew with the same command line. */
  restart(): Promise<void>;
}

/** A real etcd that the manifest of the tree describes to the word, as the kubelet starts it. */
async function startEtcd(t: TestContext, etcd: string, tree: Tree): Promise<Etcd> {
  const [client = 0, peer = 0] = await freePorts(2);
  const url = (port: number): string => `https://127.0.0.1:${String(port)}`;
  const pki = join(tree.certDir, 'etcd');
  const words = [
    ...['--name=cp-1', `--data-dir=${temporaryDirectory(t)}`, '--logger=zap'],
    ...[`--listen-client-urls=${url(client)}`, `--advertise-client-urls=${url(client)}`],
    ...[`--listen-peer-urls=${url(peer)}`, `--initial-advertise-peer-urls=${url(peer)}`],
    ...[`--initial-cluster=cp-1=${url(peer)}`, '--client-cert-auth=true', '--peer-client-cert-auth=true'],
    ...[`--cert-file=${pki}/server.crt`, `--key-file=${pki}/server.key`, `--trusted-ca-file=${pki}/ca.crt`],
    ...[`--peer-cert-file=${pki}/peer.crt`, `--peer-key-file=${pki}/peer.key`],
    `--peer-trusted-ca-file=${pki}/ca.crt`,
  ];
  edit(tree, 'etc/kubernetes/manifests/etcd.yaml', (text) =>
    text
      .replaceAll('/etc/kubernetes/pki/etcd', pki)
      .replace(/- etcd\n(?: +- --.*\n)+/, `- etcd\n${words.map((word) => `    - ${word}\n`).join('')}`),
  );
  let running = await ready(etcd, words);
  t.after(() => kill(running));
  return {
    async restart() {
      await kill(running);
      running = await ready(etcd, words);
    },
  };
}

async function ready(etcd: string, words: readonly string[]): Promise<ChildProcess> {
  const server = spawn(etcd, words, {
    env: process.arch === 'x64' ? {} : { ETCD_UNSUPPORTED_ARCH: process.arch },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (part: string) => (log += part));
  await until(() => log.includes('serving client traffic securely') || undefined, {
    deadlineMs: 60_000,
    otherwise: () => `etcd did not become ready:\n${log}`,
  });
  return server;
}

async function kill(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  server.kill('SIGKILL');
  await exited;
}

/** What is said of processes that are older than their files: the check's lines. */
async function started(tree: Tree): Promise<readonly string[]> {
  // Without --rootfs: only of this machine's own node the processes are known.
  const { stdout, stderr } = await kubepkiInProcess([
    ...['verify', '--live', '--cert-dir', tree.certDir, '--kubeconfig-dir', tree.kubeconfigDir],
  ]);
  assert.equal(stderr, '');
  return stdout.split('\n').filter((line) => /^\S+ +live-started /.test(line));
}

/** The kernel tells when it booted in whole seconds, so that what is written just after a start is not known to be later. */
function afterAWhile(): Promise<void> {
  return pause(3500);
}

describe('a real etcd', () => {
  test('started after its CA was written is right, until the CA is written again; a restart mends that', async (t) => {
    const etcd = judge(t, 'etcd');
    if (etcd === undefined) return;
    const tree = nodeWith(t, 'etcd');
    const ca = join(tree.certDir, 'etcd/ca.crt');
    const running = await startEtcd(t, etcd, tree);
    const right = /^OK +live-started +.*\(1\)$/;
    assert.match((await started(tree)).join('\n'), right);

    await afterAWhile();
    // What etcd reads anew for each handshake may change.
    const server = join(tree.certDir, 'etcd/server.crt');
    writeFileSync(server, readFileSync(server));
    assert.match((await started(tree)).join('\n'), right);

    writeFileSync(ca, readFileSync(ca));
    const [line, ...others] = await started(tree);
    assert.deepEqual(others, []);
    assert.match(
      line ?? '',
      /^ERROR +live-started +\S+\/etcd\/ca\.crt: changed on \S+, after etcd started, which reads it at its start only \(--peer-trusted-ca-file, --trusted-ca-file\); next: restart it: kubepki restart etcd --cert-dir \S+ --kubeconfig-dir \S+$/,
    );

    await running.restart();
    assert.match((await started(tree)).join('\n'), right);
    // Replaced, as by mv: another file by the same name.
    await afterAWhile();
    copyFileSync(ca, `${ca}.new`);
    renameSync(`${ca}.new`, ca);
    assert.match((await started(tree)).join('\n'), /^ERROR +live-started /);
    // A file from before is what it has read.
    utimesSync(ca, new Date('2026-01-01T00:00:00Z'), new Date('2026-01-01T00:00:00Z'));
    assert.match((await started(tree)).join('\n'), right);
  });

  test('of another cluster on this machine is none of this node', async (t) => {
    const etcd = judge(t, 'etcd');
    if (etcd === undefined) return;
    const tree = nodeWith(t, 'etcd');
    await startEtcd(t, etcd, tree);
    edit(tree, 'etc/kubernetes/manifests/etcd.yaml', (text) => text.replace('--name=cp-1', '--name=cp-2'));
    const later = new Date(Date.now() + 60_000);
    utimesSync(join(tree.certDir, 'etcd/ca.crt'), later, later);
    // One answers where this node's should, and it is not known when this node's began.
    assert.match(
      (await started(tree)).join('\n'),
      /^UNCHECKED +live-started .*: etcd answers, and no process with/,
    );
  });
});

describe('a process with the name and the words of', () => {
  for (const [component, changed, fields] of [
    ['kube-apiserver', 'pki/etcd/ca.crt', '--etcd-cafile'],
    ['kube-apiserver', 'pki/sa.pub', '--service-account-key-file'],
    ['kube-apiserver', 'pki/sa.key', '--service-account-signing-key-file'],
    ['kube-apiserver', 'pki/ca.crt', undefined],
    ['kube-apiserver', 'pki/front-proxy-ca.crt', undefined],
    ['kube-apiserver', 'pki/apiserver.crt', undefined],
    ['kube-apiserver', 'pki/apiserver-etcd-client.crt', undefined],
    ['kube-controller-manager', 'controller-manager.conf', '--kubeconfig'],
    ['kube-controller-manager', 'pki/ca.crt', '--root-ca-file'],
    ['kube-controller-manager', 'pki/sa.key', '--service-account-private-key-file'],
    ['kube-controller-manager', 'pki/ca.key', undefined],
    ['kube-scheduler', 'scheduler.conf', '--kubeconfig'],
    ['kube-scheduler', 'controller-manager.conf', undefined],
  ] as const) {
    test(`${component}, and ${changed} changes: ${fields ?? 'it sees that by itself'}`, async (t) => {
      const tree = nodeWith(t, component);
      // No answer is waited for: the port is closed.
      const [port = 0] = await freePorts(1);
      if (component === 'kube-apiserver') listenAt(tree, port);
      const words = describeAs(tree, component);
      const running = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'x', ...words], {
        argv0: `/usr/local/bin/${component}`,
        stdio: 'ignore',
      });
      t.after(() => kill(running));
      await once(running, 'spawn');
      assert.match((await started(tree)).join('\n'), /^OK +live-started /);
      const later = new Date(Date.now() + 60_000);
      utimesSync(join(tree.kubeconfigDir, changed), later, later);
      const [line = '', ...others] = await started(tree);
      assert.deepEqual(others, []);
      if (fields === undefined) assert.match(line, /^OK +live-started /);
      else {
        assert.ok(
          line.includes(`, after ${component} started, which reads it at its start only (${fields}); `),
          line,
        );
        assert.ok(line.includes(`next: restart it: kubepki restart ${component} `), line);
      }
    });
  }
});

/** Has the manifest name the files of the tree. @returns its words, without the program */
function describeAs(tree: Tree, component: string): readonly string[] {
  const manifest = `etc/kubernetes/manifests/${component}.yaml`;
  edit(tree, manifest, (text) => text.replaceAll('/etc/kubernetes', tree.kubeconfigDir));
  const text = readFileSync(join(tree.directory, manifest), 'utf8');
  return [...text.matchAll(/^ +- (--.*)$/gm)].map(([, word = '']) => word);
}
