import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { until } from '../../support/deadline.ts';
import { startKubepki, type Running } from '../../support/kubepki.ts';
import { certs, done } from '../../support/node.ts';
import { changes, copyFixture, snapshot, type Tree } from '../../support/tree.ts';

/**
 * The first five are ECDSA, and there at once; the others are RSA-4096, of which five never are, and whichever core makes
 * them. A renewal keeps the kind, so that what is staged in between is what comes first.
 */
async function slowTree(t: TestContext): Promise<Tree> {
  const tree = copyFixture(t, 'ipv6');
  const configuration =
    'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nencryptionAlgorithm: RSA-4096\n';
  writeFileSync(join(tree.directory, 'slow.yaml'), configuration);
  const names = [
    'etcd-healthcheck-client',
    'etcd-peer',
    'etcd-server',
    'front-proxy-client',
    'scheduler.conf',
  ];
  await done(tree, 'renew', ...names, '--config', '/slow.yaml');
  return tree;
}

function renewing(tree: Tree): Running {
  return startKubepki(['certs', 'renew', 'all', '--rootfs', tree.directory]);
}

/** The files that wait beside their targets. */
function staged({ certDir, kubeconfigDir }: Tree): string[] {
  return [certDir, join(certDir, 'etcd'), kubeconfigDir].flatMap((directory) =>
    readdirSync(directory).filter((name) => /^\..*\.kubepki-[0-9a-f]{12}$/.test(name)),
  );
}

function someStaged(tree: Tree): Promise<number> {
  return until(() => staged(tree).length || undefined, {
    deadlineMs: 60_000,
    otherwise: () => 'nothing was staged',
  });
}

describe('renew all, while keys are still being generated', () => {
  test('has staged what is ready, and a signal leaves nothing of it', async (t) => {
    const tree = await slowTree(t);
    const before = snapshot(tree.directory);
    const run = renewing(tree);
    const count = await someStaged(tree);
    run.kill('SIGINT');
    const { code, stdout, stderr } = await run.ended;
    // Seventeen in all: seven certificates with their keys, three kubeconfigs.
    assert.ok(count < 17, String(count));
    assert.deepEqual([code, stdout, stderr], [130, '', 'interrupted: nothing was changed\n']);
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
  });

  test('killed there, the next run takes away what it staged', async (t) => {
    const tree = await slowTree(t);
    const before = snapshot(tree.directory);
    const run = renewing(tree);
    await someStaged(tree);
    run.kill('SIGKILL');
    assert.equal((await run.ended).signal, 'SIGKILL');
    assert.notDeepEqual(staged(tree), []);
    const { stderr } = await done(tree, 'recover');
    assert.match(
      stderr,
      /interrupted before it changed anything, and was cleaned up: kubepki certs renew all/,
    );
    assert.deepEqual(staged(tree), []);
    const left = changes(before, snapshot(tree.directory)).filter(
      (line) => !line.includes('kubernetes/kubepki'),
    );
    assert.deepEqual(left, []);
    assert.equal((await certs(tree, 'renew', 'apiserver')).code, 0);
  });
});
