/** A worker, from prepare to distrust, by the files that a control plane exports: `ca trust`. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { apiAsk } from '../support/rotation/clients.ts';
import { rotationCluster } from '../support/rotation/cluster.ts';
import { certificatesIn } from '../support/rotation/components/pem.ts';
import type { ClusterNode } from '../support/rotation/node.ts';
import type { Outcome } from '../support/kubepki.ts';

/** The kubelet's certificate and key: a link, as the node sees it. */
function storeOf({ root }: ClusterNode): string {
  return join(root, readlinkSync(join(root, 'var/lib/kubelet/pki/kubelet-client-current.pem')));
}

interface Status {
  readonly role: string;
  readonly servers: { readonly value: readonly { readonly name: string; readonly serves: string }[] };
  readonly authorities: readonly { readonly name: string; readonly first: string; readonly last: string }[];
}

/** Subjects of the CAs, in the file's order. */
function subjects(pem: Buffer): string[] {
  return certificatesIn(pem).map(({ subject }) => subject);
}

async function ok(node: ClusterNode, ...args: string[]): Promise<Outcome> {
  const outcome = await node.run(...args);
  assert.equal(
    outcome.code,
    0,
    `${node.name}$ kubepki ${args.join(' ')}\n${outcome.stdout}${outcome.stderr}`,
  );
  return outcome;
}

test('a worker follows each stage, and its kubelet is not refused once', { timeout: 500_000 }, async (t) => {
  const cluster = await rotationCluster(t, { controlPlanes: 1, workers: 1 });
  if (cluster === undefined) return;
  const [first] = cluster.controlPlanes;
  const [worker] = cluster.workers;
  assert.ok(worker);
  for (const { root } of cluster.nodes) mkdirSync(join(root, 'etc/kubernetes/tmp'), { recursive: true });
  cluster.client('old admin', apiAsk(cluster.original, cluster.endpoint));
  const carry = async (stage: string): Promise<string> => {
    const file = `/etc/kubernetes/tmp/${stage}.tar`;
    await ok(first, 'ca', 'rotate', 'export', file);
    copyFileSync(join(first.root, file), join(worker.root, file));
    return file;
  };
  const statusOf = async (): Promise<Status> => {
    const { stdout } = await ok(worker, 'ca', 'status', '-o', 'json');
    writeFileSync(join(first.root, 'etc/kubernetes/tmp/worker.json'), stdout);
    return JSON.parse(stdout) as Status;
  };
  const stageOf = async (): Promise<string[]> =>
    (await statusOf()).authorities.flatMap(({ name, first: from, last }) =>
      name === 'ca' ? [from, last] : [],
    );
  // What this cluster of two nodes cannot show, or another test is about.
  const accepted = 'verify,root-ca,extension-clients,cluster-info,signer,issued-clients';
  const stage = async (name: string): Promise<void> => {
    const from = ['--from', '/etc/kubernetes/tmp/worker.json'];
    await ok(first, 'ca', 'rotate', name, '--restart', '--settle', '1s', ...from, '--accept', accepted);
    await first.restartKubelet();
  };

  await ok(first, 'ca', 'rotate', 'prepare', 'ca');
  const prepared = await carry('prepare');
  await ok(worker, 'ca', 'trust', prepared);
  const [old] = subjects(worker.read('pki/ca.crt'));
  assert.ok(old);
  assert.deepEqual(await stageOf(), ['prepare', 'prepare']);
  const { role, servers } = await statusOf();
  assert.equal(role, 'worker');
  assert.deepEqual(
    servers.value.map(({ name, serves }) => [name, serves]),
    [['kubelet', 'self']],
  );

  await stage('trust');
  const trusting = await carry('trust');
  await ok(worker, 'ca', 'trust', trusting);
  await worker.restartKubelet();
  const [, next] = subjects(worker.read('pki/ca.crt'));
  assert.ok(next);
  assert.deepEqual(subjects(worker.read('pki/ca.crt')), [old, next]);
  assert.deepEqual(await stageOf(), ['trust', 'trust']);

  await stage('switch');
  const switched = await carry('switch');
  const offline = await ok(worker, 'ca', 'trust', switched, '--offline');
  assert.match(offline.stderr, /kubelet's certificate is of the old CA still/);
  assert.deepEqual(await stageOf(), ['trust', 'switch']);
  const { stdout, stderr } = await ok(worker, 'ca', 'trust', switched);
  assert.match(stdout, /^kubelet\.conf signed by the new CA$/m);
  assert.match(stderr, /^hint: systemctl restart kubelet$/m);
  const leaf = new X509Certificate(readFileSync(storeOf(worker)));
  assert.equal(leaf.issuer, next);
  assert.equal(leaf.subject.split('\n').sort().join(', '), `CN=system:node:${worker.name}, O=system:nodes`);
  assert.deepEqual(await stageOf(), ['switch', 'switch']);
  await worker.restartKubelet();
  await cluster.settled();

  // Back and forth again.
  await ok(worker, 'ca', 'rollback', '--accept', 'nodes');
  assert.deepEqual(await stageOf(), ['trust', 'trust']);
  await ok(worker, 'ca', 'trust', switched);
  assert.deepEqual(await stageOf(), ['switch', 'switch']);
  await worker.restartKubelet();
  await cluster.settled();
  assert.deepEqual(
    Object.entries(cluster.report()).flatMap(([name, { failed, first: why }]) =>
      failed > 0 ? [[name, failed, why]] : [],
    ),
    [],
  );

  await stage('distrust');
  const alone = await carry('distrust');
  await ok(worker, 'ca', 'trust', alone);
  assert.deepEqual(subjects(worker.read('pki/ca.crt')), [next]);
  await worker.restartKubelet();
  assert.deepEqual(await stageOf(), ['distrust', 'finish']);
  await cluster.settled();
  assert.equal(cluster.report()[`kubelet ${worker.name}`]?.failed, 0);
  const openssl = execFileSync('openssl', [
    ...['verify', '-x509_strict', '-CAfile', worker.path('pki/ca.crt'), storeOf(worker)],
  ]).toString();
  assert.match(openssl, /OK/);
});
