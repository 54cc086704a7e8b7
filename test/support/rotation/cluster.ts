import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until } from '../deadline.ts';
import { judge } from '../judge.ts';
import { reserveSubnet } from './addresses.ts';
import { startBalancer } from './balancer.ts';
import { startClient, type Ask } from './clients.ts';
import type { Credentials } from './components/api-client.ts';
import { send } from './components/request.ts';
import { makeContainers, selfSigned } from './containers.ts';
import { Counter, type Count } from './counter.ts';
import { startExtensionServer } from './extension-server.ts';
import { startNodeAgent } from './node-agent.ts';
import { ClusterNode, components } from './node.ts';
import { makeRoots, type NodePlace, type Sharing } from './roots.ts';
import { seedsOf } from './seeds.ts';

export interface RotationClusterWishes {
  /** 3 by default. */
  readonly controlPlanes?: number;
  /** 2 by default. */
  readonly workers?: number;
  /** ECDSA by default, which takes less time. */
  readonly keys?: Sharing['keys'];
}

export interface RotationCluster {
  readonly controlPlanes: readonly [ClusterNode, ...ClusterNode[]];
  readonly workers: readonly ClusterNode[];
  readonly nodes: readonly ClusterNode[];
  /** The address of the load balancer before the API servers. */
  readonly endpoint: string;
  readonly extension: { restart(): void };
  /** What admin.conf held when the cluster was made. */
  readonly original: Credentials;
  /** Has a client ask every 100 ms from now on; it ends with the cluster. */
  client(name: string, ask: Ask): Counter;
  /** Asks an API server, through the load balancer, as admin.conf of the first node has it now. */
  readonly api: (method: string, path: string, body?: unknown) => Promise<{ status: number; body: unknown }>;
  /** Waits until every component and every Node is well. */
  settled(): Promise<void>;
  /** What became of the requests of each client, of each kubelet, and of each component that asks an API server. */
  report(): Readonly<Record<string, Count>>;
  /** Forgets what was counted. */
  reset(): void;
}

/**
 * A cluster for rotations of its CAs: real etcd members, and stand-ins for what Kubernetes adds, each of which reads its
 * files when the real one does. Each node has a root directory of its own, and each cluster a part of loopback. It ends with the test.
 *
 * @returns undefined: a program is missing, and the test is skipped
 */
export async function rotationCluster(
  t: TestContext,
  { controlPlanes: size = 3, workers: others = 2, keys = 'ECDSA-P256' }: RotationClusterWishes = {},
): Promise<RotationCluster | undefined> {
  const etcd = judge(t, 'etcd');
  const openssl = judge(t, 'openssl');
  const unshare = judge(t, 'unshare');
  if (etcd === undefined || openssl === undefined || unshare === undefined) return undefined;
  const ends: (() => Promise<unknown> | undefined)[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'kubepki-rotation-'));
  t.after(async () => {
    // Who asks goes before who answers, and the files go last: a component that still writes would put them back.
    for (const end of ends.reverse()) await end();
    rmSync(directory, { recursive: true, force: true });
  });
  const subnet = await reserveSubnet();
  ends.push(() => {
    subnet.release();
    return undefined;
  });
  const sharing = { keys, endpoint: subnet.address(100), extension: subnet.address(200) };
  const places = [
    ...Array.from({ length: size }, (_, index) => ({
      name: `cp-${String(index + 1)}`,
      isControlPlane: true,
    })),
    ...Array.from({ length: others }, (_, index) => ({
      ...{ name: `worker-${String(index + 1)}`, isControlPlane: false },
    })),
  ].map(({ name, isControlPlane }, index): NodePlace => {
    const root = join(directory, name);
    mkdirSync(root);
    return { name, isControlPlane, root, address: subnet.address(index + 1) };
  });
  await makeRoots(places, sharing);
  const built = join(directory, 'programs');
  mkdirSync(built);
  const containers = await makeContainers({ etcd, openssl, unshare }, built);
  const nodes = places.map((place) => {
    const node = new ClusterNode(place, containers);
    ends.push(() => node.stop());
    return node;
  });
  const [first, ...rest] = nodes.filter(({ isControlPlane }) => isControlPlane);
  if (first === undefined) throw new Error('a cluster has a control plane');
  const controlPlanes = [first, ...rest] as const;
  const balancer = await startBalancer(
    sharing.endpoint,
    controlPlanes.map(({ address }) => address),
  );
  ends.push(() => balancer.stop());
  const counters = new Map<string, Counter>();
  const api: RotationCluster['api'] = async (method, path, body) => {
    const { ca, certificate, key } = first.credentials();
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const { status, text } = await send(`https://${sharing.endpoint}:6443${path}`, {
      ...{ method, agent: false, ca, cert: certificate, key, headers: { 'content-type': type } },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status, body: (text.startsWith('{') ? JSON.parse(text) : text) as unknown };
  };
  const healthy = async (): Promise<void> => {
    await Promise.all(
      controlPlanes.flatMap((node) => components.map((component) => node.healthy(component))),
    );
  };
  await healthy();
  for (const { path, object } of seedsOf(controlPlanes, sharing)) {
    const { status } = await api('POST', path, object);
    if (status !== 201 && status !== 409) throw new Error(`POST ${path}: HTTP ${String(status)}`);
  }
  const pair = selfSigned(openssl, join(directory, 'servers'));
  const extension = await startExtensionServer(sharing.extension, pair, async () => {
    const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
    const { status, body } = await api('GET', path);
    if (status !== 200) return undefined;
    const { metadata, data } = body as AuthenticationMap;
    return { uid: metadata.uid, requestHeaderCas: data['requestheader-client-ca-file'] ?? '' };
  });
  ends.push(() => extension.stop());
  for (const node of nodes) {
    const counter = new Counter();
    counters.set(`kubelet ${node.name}`, counter);
    const agent = await startNodeAgent(node, pair, counter);
    node.attend(agent);
  }
  const since = { reset: Date.now() };
  const cluster: RotationCluster = {
    ...{ controlPlanes, nodes, endpoint: sharing.endpoint, extension, api },
    workers: nodes.filter(({ isControlPlane }) => !isControlPlane),
    original: first.credentials(),
    client(name, ask) {
      const { counter, stop } = startClient(ask);
      counters.set(name, counter);
      ends.push(stop);
      return counter;
    },
    async settled() {
      await healthy();
      await until(() => areWell(api), {
        deadlineMs: 60_000,
        otherwise: () => 'a Node is not Ready, or the extension server cannot be had',
      });
    },
    report: () => ({
      ...Object.fromEntries([...counters].map(([name, { count }]) => [name, count])),
      ...componentCounts(containers.requests, since.reset),
    }),
    reset() {
      since.reset = Date.now();
      for (const counter of counters.values()) counter.reset();
    },
  };
  await cluster.settled();
  cluster.reset();
  return cluster;
}

interface AuthenticationMap {
  readonly metadata: { readonly uid: string };
  readonly data: Readonly<Record<string, string>>;
}

interface WithConditions {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function areWell(api: RotationCluster['api']): Promise<true | undefined> {
  const wanted = { '/api/v1/nodes': 'Ready', '/apis/apiregistration.k8s.io/v1/apiservices': 'Available' };
  for (const [path, condition] of Object.entries(wanted)) {
    const answer = await api('GET', path).catch(() => undefined);
    const { items = [] } = (answer?.body ?? {}) as { readonly items?: readonly WithConditions[] };
    const isWell = items.every(({ status }) =>
      status?.conditions?.some((one) => one.type === condition && one.status === 'True'),
    );
    if (items.length === 0 || !isWell) return undefined;
  }
  return true;
}

interface ComponentRequest {
  readonly time: number;
  readonly client: string;
  readonly outcome: 'ok' | 'down' | 'failed';
  readonly reason: string;
}

function componentCounts(file: string, since: number): Readonly<Record<string, Count>> {
  if (!existsSync(file)) return {};
  const counters = new Map<string, Counter>();
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const { time, client, outcome, reason } = JSON.parse(line) as ComponentRequest;
    if (time < since) continue;
    const counter = counters.get(client) ?? new Counter();
    counters.set(client, counter);
    if (outcome === 'ok') counter.ok(time);
    else if (outcome === 'down') counter.down(reason, time);
    else counter.failed(reason, time);
  }
  return Object.fromEntries([...counters].map(([name, { count }]) => [name, count]));
}
