import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../support/deadline.ts';
import { tokenAsk } from '../support/rotation/clients.ts';
import type { RotationCluster } from '../support/rotation/cluster.ts';
import { quick, type Conductor } from '../support/rotation/conductor.ts';
import type { Counter } from '../support/rotation/counter.ts';
import { assertComponentsServed } from '../support/rotation/witnesses.ts';

/** Each API server is asked so often; with every 100 ms one load balancer is, in the rotation of the CAs. */
const everyMs = 300;

async function newToken(cluster: RotationCluster): Promise<string> {
  const path = '/api/v1/namespaces/default/serviceaccounts/default/token';
  const { status, body } = await cluster.api('POST', path, { spec: { expirationSeconds: 3600 } });
  assert.equal(status, 201);
  return (body as { readonly status: { readonly token: string } }).status.token;
}

/** The service-account key over all control planes: tokens are taken everywhere for as long as their key is. */
export async function rotatesTokenKey(cluster: RotationCluster, conductor: Conductor): Promise<void> {
  const { controlPlanes } = cluster;
  const [first, ...others] = controlPlanes;
  const clients = (name: string, token: string): readonly Counter[] =>
    controlPlanes.map(({ name: node, address }) =>
      cluster.client(`${name}: ${node}`, tokenAsk(token, first.read('pki/ca.crt'), address), everyMs),
    );
  const served = (counters: readonly Counter[], when: string): void => {
    assertComponentsServed(cluster, when);
    for (const { count } of counters) {
      assert.equal(count.failed, 0, `${when}: ${JSON.stringify(count)}`);
      assert.ok(count.ok > 0, when);
    }
  };
  const restart = ['--restart', ...quick];
  const old = clients('old token', await newToken(cluster));
  await conductor.mustRun(first, 'sa', 'rotate', 'trust', ...restart);
  const file = '/var/lib/rotation/sa.key';
  await conductor.mustRun(first, 'sa', 'rotate', 'export', file, ...conductor.sealed(first));
  for (const node of others) {
    conductor.bring(file, first, node);
    const key = ['--key', file, ...conductor.sealed(node)];
    await conductor.mustRun(node, 'sa', 'rotate', 'trust', ...restart, ...key);
    await conductor.mustRun(node, 'sa', 'status');
    served(old, `trust on ${node.name}`);
  }
  for (const node of controlPlanes) {
    await conductor.mustRun(node, 'sa', 'rotate', 'switch', ...restart);
    await conductor.mustRun(node, 'sa', 'status');
    served(old, `switch on ${node.name}`);
  }
  const next = clients('new token', await newToken(cluster));
  await until(() => (next.every(({ count }) => count.ok > 0) ? true : undefined), {
    deadlineMs: 30_000,
    otherwise: () => 'not everyone has asked with a new token',
  });
  // There are no mirror pods here to tell when components were started, and the stand-in for kube-apiserver does not count stale tokens.
  const unseen = ['controller-managers', 'refreshed-tokens', 'stale-tokens', 'extended-tokens'];
  const accept = ['--accept', unseen.join(',')];
  for (const [index, node] of controlPlanes.entries()) {
    const when = `finish on ${node.name}`;
    await conductor.mustRun(node, 'sa', 'rotate', 'finish', ...restart, ...accept);
    await conductor.mustRun(node, 'sa', 'status');
    served([...next, ...old.slice(index + 1)], when);
    const refused = old.slice(0, index + 1);
    for (const counter of refused) counter.reset();
    await pause(500);
    await until(() => (refused.every(({ count }) => count.ok + count.failed > 1) ? true : undefined), {
      deadlineMs: 30_000,
      otherwise: () => `${when}: not everyone has asked with an old token`,
    });
    for (const { count } of refused) assert.ok(count.ok === 0 && count.failed > 0, when);
  }
  await cluster.settled();
  conductor.counts();
}
