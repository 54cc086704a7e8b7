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
import { makeContainers, realBinaries, selfSigned } from './containers.ts';
import { Counter, type Count } from './counter.ts';
import { startExtensionServer } from './extension-server.ts';
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
  /** Has a client ask from now on, every 100 ms by default; it ends with the cluster, or when it is dismissed. */
  client(name: string, ask: Ask, everyMs?: number): Counter;
  dismiss(counters: readonly Counter[]): Promise<void>;
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
    ends.push(() => node.powerOff());
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
  const clients = new Map<Counter, () => Promise<void>>();
  ends.push(() => Promise.all([...clients.values()].map((stop) => stop())));
  const ask = async (
    kubeconfig: string,
    ...[method, path, body]: Parameters<RotationCluster['api']>
  ): ReturnType<RotationCluster['api']> => {
    const { ca, certificate, key } = first.credentials(kubeconfig);
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const { status, text } = await send(`https://${sharing.endpoint}:6443${path}`, {
      ...{ method, agent: false, ca, cert: certificate, key, headers: { 'content-type': type } },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status, body: (text.startsWith('{') ? JSON.parse(text) : text) as unknown };
  };
  const api: RotationCluster['api'] = (...question) => ask('admin.conf', ...question);
  const healthy = async (): Promise<void> => {
    await Promise.all(
      controlPlanes.flatMap((node) => components.map((component) => node.healthy(component))),
    );
  };
  await healthy();
  for (const { path, object, isOnLoopback } of seedsOf(controlPlanes, sharing)) {
    if (realBinaries !== undefined && isOnLoopback) continue;
    const last = { answer: '' };
    // As kubeadm does: admin.conf has no rights before its binding is there.
    const put = async (): Promise<true | undefined> => {
      const { status, body } = await ask('super-admin.conf', 'POST', path, object);
      last.answer = JSON.stringify(body);
      return status === 201 || status === 409 ? true : undefined;
    };
    await until(put, { deadlineMs: 30_000, otherwise: () => `POST ${path}: ${last.answer}` });
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
  for (const { name } of controlPlanes) {
    // A kubelet may not say so of itself; kubeadm does.
    const metadata = { labels: { 'node-role.kubernetes.io/control-plane': '' } };
    const label = async (): Promise<true | undefined> =>
      (await api('PATCH', `/api/v1/nodes/${name}`, { metadata })).status === 200 ? true : undefined;
    await until(label, { deadlineMs: 30_000, otherwise: () => `${name} is no Node` });
  }
  const since = { reset: Date.now() };
  const cluster: RotationCluster = {
    ...{ controlPlanes, nodes, endpoint: sharing.endpoint, extension, api },
    workers: nodes.filter(({ isControlPlane }) => !isControlPlane),
    original: first.credentials(),
    client(name, ask, everyMs) {
      const { counter, stop } = startClient(ask, everyMs);
      counters.set(name, counter);
      clients.set(counter, stop);
      return counter;
    },
    async dismiss(these) {
      await Promise.all(
        these.map(async (counter) => {
          await clients.get(counter)?.();
        }),
      );
    },
    async settled() {
      await healthy();
      const last = { ill: '' };
      const isSettled = async (): Promise<true | undefined> => {
        last.ill = (await illIn(api, nodes.length)) ?? '';
        return last.ill === '' ? true : undefined;
      };
      await until(isSettled, { deadlineMs: 180_000, otherwise: () => last.ill });
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

interface Listed {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** @returns what is not well; undefined: all is */
async function illIn(api: RotationCluster['api'], nodes: number): Promise<string | undefined> {
  const list = async (path: string): Promise<readonly Listed[]> => {
    const { status, body } = await api('GET', path);
    if (status !== 200) throw new Error(`GET ${path}: HTTP ${String(status)}`);
    return (body as { items: readonly Listed[] }).items;
  };
  const without = (objects: readonly Listed[], condition: string): readonly string[] =>
    objects
      .filter(
        ({ status }) =>
          !status?.conditions?.some(({ type, status: is }) => type === condition && is === 'True'),
      )
      .map(({ metadata }) => `${metadata.name} is not ${condition}`);
  try {
    const found = await list('/api/v1/nodes');
    if (found.length < nodes) return 'a Node is missing';
    const namespaces = await list('/api/v1/namespaces');
    const published = await list('/api/v1/configmaps?fieldSelector=metadata.name%3Dkube-root-ca.crt');
    if (published.length < namespaces.length) return 'kube-root-ca.crt is not in every namespace';
    const services = await list('/apis/apiregistration.k8s.io/v1/apiservices');
    return [...without(found, 'Ready'), ...without(services, 'Available')][0];
  } catch (error) {
    return String(error);
  }
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
