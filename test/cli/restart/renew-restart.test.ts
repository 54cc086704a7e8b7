import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { besideChangeNote, changeNote } from '../../support/change-note.ts';
import { until } from '../../support/deadline.ts';
import { judge } from '../../support/judge.ts';
import { plane, quickly } from '../../support/kubelet/restart.ts';
import type { ControlPlane } from '../../support/kubelet/control-plane.ts';
import { kubepki, type Outcome } from '../../support/kubepki.ts';
import { certs, stateDirectory } from '../../support/node.ts';
import { fileFingerprint, servedFingerprint } from '../../support/servers/served-fingerprint.ts';
import { changes, snapshot } from '../../support/tree.ts';

function renew({ tree }: ControlPlane, ...args: readonly string[]): Promise<Outcome> {
  return kubepki(['certs', 'renew', '--rootfs', tree.directory, ...args]);
}

function pendingFile({ tree }: ControlPlane): string {
  return join(stateDirectory(tree), 'pending-restarts.json');
}

/** The same key, in a certificate of the same CA that ended yesterday. */
function expire(openssl: string, certDir: string, name: string): void {
  const run = (...args: readonly string[]): void => {
    execFileSync(openssl, args, { cwd: join(certDir, 'etcd'), stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const usages = 'extendedKeyUsage=serverAuth,clientAuth';
  const names = 'subjectAltName=DNS:localhost,DNS:control-plane-1,IP:127.0.0.1';
  const request = ['-key', `${name}.key`, '-subj', '/CN=control-plane-1', '-out', 'request.csr'];
  run('req', '-new', ...request, '-addext', usages, '-addext', names);
  const ca = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', '4711', '-days', '-1'];
  run('x509', '-req', '-in', 'request.csr', ...ca, '-copy_extensions', 'copyall', '-out', `${name}.crt`);
  rmSync(join(certDir, 'etcd/request.csr'));
}

describe('renew --restart', () => {
  test('restarts the components whose certificates changed, and no others', async (t) => {
    const openssl = judge(t, 'openssl');
    const node = await plane(t);
    if (node === undefined || openssl === undefined) return;
    const { code, stdout, stderr } = await renew(node, 'apiserver', 'admin.conf', '--restart', ...quickly);
    assert.equal(code, 0, stderr);
    assert.equal(
      stdout,
      'certificate embedded in the kubeconfig file for the admin to use and for kubeadm itself renewed\n' +
        'certificate for serving the Kubernetes API renewed\n' +
        'kube-apiserver restarted\n' +
        `kube-apiserver serves the new certificate (${node.tree.certDir}/apiserver.crt)\n`,
    );
    assert.equal(stderr, changeNote(t, node.tree, { names: ['apiserver', 'admin.conf'] }));
    assert.deepEqual(node.kubelet.starts.slice(4), ['kube-apiserver.yaml']);
    assert.equal(
      servedFingerprint(openssl, node.ports.apiserver),
      fileFingerprint(openssl, join(node.tree.certDir, 'apiserver.crt')),
    );
    assert.equal(existsSync(pendingFile(node)), false);
  });

  test('all of them, without telling anybody to do it by hand', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const { code, stdout, stderr } = await renew(node, 'all', '--restart', ...quickly);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout, /You must restart/);
    assert.deepEqual(node.kubelet.starts.slice(4), [
      'etcd.yaml',
      'kube-apiserver.yaml',
      'kube-controller-manager.yaml',
      'kube-scheduler.yaml',
    ]);
  });

  test('everything of etcd had expired: its gateway, which still answers 503, fails nothing', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const node = await plane(t, {
      prepare: ({ certDir }) => {
        for (const name of ['server', 'peer', 'healthcheck-client']) expire(openssl, certDir, name);
      },
    });
    if (node === undefined) return;
    // Its gateway has been refused some times, and waits ever longer before it tries again.
    const log = (): string => node.kubelet.log('etcd.yaml');
    await until(() => (log().split('certificate has expired').length > 3 ? true : undefined), {
      deadlineMs: 60_000,
      otherwise: log,
    });
    const { code, stdout, stderr } = await renew(node, 'all', '--restart', ...quickly);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^etcd restarted$/m);
    assert.match(stdout, /^etcd serves the new certificate /m);
    await node.healthy();
  });

  test('a certificate that no component uses restarts nothing', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const { code, stderr } = await renew(node, 'admin.conf', '--restart');
    assert.equal(code, 0, stderr);
    assert.equal(node.kubelet.starts.length, 4);
  });

  test('nothing due, nothing restarted, nothing written', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const before = snapshot(node.tree.kubeconfigDir);
    const { code, stdout, stderr } = await renew(node, 'all', '--within', '1h', '--restart');
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'nothing is due within 1h\n');
    assert.equal(node.kubelet.starts.length, 4);
    assert.deepEqual(changes(before, snapshot(node.tree.kubeconfigDir)), []);
  });

  test('one that does not come back: exit 8, the renewal stands, and the next run restarts what is left', async (t) => {
    const node = await plane(t, {
      flags: (_, tree) => ({ 'kube-apiserver': [`--refuse-while=${join(tree.directory, 'broken')}`] }),
    });
    if (node === undefined) return;
    const broken = join(node.tree.directory, 'broken');
    writeFileSync(broken, '');
    const certificate = join(node.tree.certDir, 'apiserver.crt');
    const old = readFileSync(certificate, 'utf8');
    const names = ['apiserver', 'scheduler.conf'];
    const failed = await renew(node, ...names, '--restart', ...quickly, '--start-timeout', '2s');
    assert.equal(failed.code, 8, failed.stderr);
    assert.match(failed.stdout, /^certificate for serving the Kubernetes API renewed$/m);
    assert.match(failed.stderr, /kube-apiserver was not healthy again within 2s/);
    assert.match(failed.stderr, /^hint: then: kubepki restart kube-apiserver kube-scheduler --rootfs /m);
    assert.notEqual(readFileSync(certificate, 'utf8'), old);
    const recovered = await certs(node.tree, 'recover');
    assert.match(
      recovered.stderr,
      /^note: not restarted yet since their certificates changed: kube-apiserver, kube-scheduler\nhint: kubepki restart kube-apiserver kube-scheduler --rootfs /m,
    );
    rmSync(broken);
    await node.healthy();
    // Without --restart it is nobody's business.
    const without = await renew(node, 'all', '--within', '1h');
    assert.equal(without.code, 0, without.stderr);
    assert.equal(existsSync(pendingFile(node)), true);
    const next = await renew(node, 'all', '--within', '1h', '--restart', ...quickly);
    assert.equal(next.code, 0, next.stderr);
    assert.equal(
      next.stdout,
      'nothing is due within 1h\nkube-apiserver restarted\n' +
        `kube-apiserver serves the new certificate (${certificate})\nkube-scheduler restarted\n`,
    );
    assert.equal(existsSync(pendingFile(node)), false);
  });

  test('interrupted during the restart: the change is done, the manifest in its place, the restart not forgotten', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const manifest = join(node.manifestsDir, 'kube-scheduler.yaml');
    const args = ['scheduler.conf', '--restart', '--settle', '100s', '--stop-timeout', '200s'];
    const run = node.begin('certs', 'renew', ...args);
    await node.away('kube-scheduler');
    run.kill('SIGTERM');
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 143);
    assert.match(stdout, / renewed\n$/);
    assert.equal(
      besideChangeNote(stderr),
      `interrupted: the change is done and complete; kube-scheduler was being stopped; the manifest of kube-scheduler is in its place (${manifest}); ` +
        `then: kubepki restart kube-scheduler --rootfs ${node.tree.directory}\n`,
    );
    assert.equal(existsSync(manifest), true);
    await node.healthy();
    const next = await renew(node, 'all', '--within', '1h', '--restart', ...quickly);
    assert.equal(next.code, 0, next.stderr);
    assert.equal(next.stdout, 'nothing is due within 1h\nkube-scheduler restarted\n');
  });

  test('taken back meanwhile, or after a reboot: nothing is left to restart', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const leaveUndone = async (): Promise<void> => {
      const run = node.begin(
        ...['certs', 'renew', 'scheduler.conf', '--restart', '--settle', '100s', '--stop-timeout', '200s'],
      );
      await node.away('kube-scheduler');
      run.kill('SIGTERM');
      await run.ended;
      await node.healthy();
    };
    await leaveUndone();
    const rolledBack = await certs(node.tree, 'rollback');
    assert.equal(rolledBack.code, 0, rolledBack.stderr);
    const next = await renew(node, 'all', '--within', '1h', '--restart', ...quickly);
    assert.equal(next.stdout, 'nothing is due within 1h\n');
    assert.equal(existsSync(pendingFile(node)), false);

    await leaveUndone();
    const { bootId, ...rest } = JSON.parse(readFileSync(pendingFile(node), 'utf8')) as { bootId: string };
    assert.equal(bootId, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
    writeFileSync(pendingFile(node), JSON.stringify({ ...rest, bootId: 'an earlier one' }));
    const rebooted = await renew(node, 'all', '--within', '1h', '--restart', ...quickly);
    assert.equal(rebooted.stdout, 'nothing is due within 1h\n');
  });

  test('a manifest that cannot be used: refused before anything is renewed', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    writeFileSync(join(node.manifestsDir, 'kube-scheduler.yaml'), 'kind: Pod\n', { mode: 0o600 });
    const before = snapshot(node.tree.kubeconfigDir);
    const { code, stdout, stderr } = await renew(node, 'all', '--restart', ...quickly);
    assert.equal(code, 1, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^error: .*kube-scheduler\.yaml: is not the manifest of a pod/);
    assert.deepEqual(changes(before, snapshot(node.tree.kubeconfigDir)), []);
    const others = await renew(node, 'apiserver', '--restart', ...quickly);
    assert.equal(others.code, 0, others.stderr);
  });

  for (const [what, args, expected] of [
    ['--csr-only', ['all', '--csr-only', '--restart'], /--restart does not go with --csr-only\nhint: /],
    ['--settle alone', ['all', '--settle', '1s'], /--settle goes with --restart/],
  ] as const) {
    test(`${what} is a usage error`, async (t) => {
      const node = await plane(t, { without: ['etcd', 'kube-apiserver', 'kube-controller-manager'] });
      if (node === undefined) return;
      const before = snapshot(node.tree.kubeconfigDir);
      const { code, stderr } = await renew(node, ...args);
      assert.equal(code, 1);
      assert.match(stderr, expected);
      assert.deepEqual(changes(before, snapshot(node.tree.kubeconfigDir)), []);
    });
  }
});
