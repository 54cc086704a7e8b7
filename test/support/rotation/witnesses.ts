import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { resign } from '../certificates/resigned.ts';
import { until } from '../deadline.ts';
import { apiAsk, etcdAsk, kubeletAsk, type Ask } from './clients.ts';
import type { RotationCluster } from './cluster.ts';
import type { Credentials } from './components/api-client.ts';
import type { Counter } from './counter.ts';
import type { ClusterNode } from './node.ts';
import { stackAsk, stackNames, type Stacks } from './stacks.ts';

type Pair = Omit<Credentials, 'server'>;

/** What clients hold: an administrator, whom etcd believes, and an API server that asks kubelets. */
export interface Held {
  readonly admin: Credentials;
  readonly etcd: Pair;
  readonly kubelet: Pair;
}

/** What is on a control plane now. */
export function heldOn(node: ClusterNode): Held {
  return {
    admin: node.credentials(),
    etcd: node.pair('apiserver-etcd-client', 'etcd/ca.crt'),
    kubelet: node.pair('apiserver-kubelet-client', 'ca.crt'),
  };
}

/**
 * The same for a client that openssl has given certificates of the new CAs, without any cross-certificate. Before `switch`, as the keys
 * of the new CAs are taken from where they are kept until then.
 * @returns one that trusts what the CA files of the node hold, and one that trusts the new CAs alone, which no server shows before `switch`
 */
export function heldOfNext(
  openssl: string,
  node: ClusterNode,
  scratch: string,
): { readonly both: Held; readonly alone: Held } {
  const old = heldOn(node);
  const kept = (authority: string): string => node.path(`pki/.kubepki/rotation/${authority}.next`);
  const reissued = <T extends Pair>(pair: T, authority: string): T => {
    const base = join(scratch, 'client');
    // What is behind the leaf is not of the new CA.
    writeFileSync(`${base}.crt`, pair.certificate);
    writeFileSync(`${base}.key`, pair.key);
    resign(openssl, base, { by: kept(authority) });
    return { ...pair, certificate: readFileSync(`${base}.crt`) };
  };
  const both = {
    admin: reissued(old.admin, 'ca'),
    etcd: reissued(old.etcd, 'etcd-ca'),
    kubelet: reissued(old.kubelet, 'ca'),
  };
  const [ca, etcdCa] = ['ca', 'etcd-ca'].map((authority) => readFileSync(`${kept(authority)}.crt`)) as [
    Buffer,
    Buffer,
  ];
  return {
    both,
    alone: {
      admin: { ...both.admin, ca },
      etcd: { ...both.etcd, ca: etcdCa },
      kubelet: { ...both.kubelet, ca },
    },
  };
}

export interface WitnessWishes {
  /** By default the load balancer is asked every 100 ms, and each server by itself every second: with more they do little else on two cores. */
  readonly everyMs?: number;
  /** Programs that ask the load balancer, less often, as each question is a process. */
  readonly stacks?: { readonly programs: Stacks; readonly scratch: string } | undefined;
}

const programEveryMs = 5000;

/** Clients that ask every server of the cluster, each over and over, all with certificates of the same CAs. */
export class Witnesses {
  readonly #cluster: RotationCluster;
  /** By the node whose server is asked; the load balancer is of none. */
  readonly #counters = new Map<ClusterNode | undefined, [name: string, counter: Counter][]>();

  constructor(
    cluster: RotationCluster,
    name: string,
    { admin, etcd, kubelet }: Held,
    { everyMs, stacks }: WitnessWishes = {},
  ) {
    this.#cluster = cluster;
    const start = (node: ClusterNode | undefined, whom: string, ask: Ask, ownMs = everyMs ?? 1000): void => {
      const full = `${name}: ${whom}`;
      const counters = this.#counters.get(node) ?? [];
      this.#counters.set(node, [...counters, [full, cluster.client(full, ask, ownMs)]]);
    };
    const { endpoint: address } = cluster;
    start(undefined, 'load balancer', apiAsk(admin, address), everyMs ?? 100);
    if (stacks !== undefined) {
      const { programs, scratch } = stacks;
      for (const stack of stackNames) {
        const ask = stackAsk(stack, programs, admin, { address, scratch });
        start(undefined, `load balancer, by ${stack}`, ask, programEveryMs);
      }
    }
    for (const node of cluster.nodes) {
      if (node.isControlPlane) {
        start(node, `kube-apiserver ${node.name}`, apiAsk(admin, node.address));
        start(node, `etcd ${node.name}`, etcdAsk(etcd, node.address));
      }
      start(node, `kubelet ${node.name}`, kubeletAsk(kubelet, node.address));
    }
  }

  /** No request has failed since the last reset, but where an endpoint was being restarted. @param nodes undefined: all, and the load balancer */
  assertServed(when: string, nodes?: readonly ClusterNode[]): void {
    for (const [name, { count }] of this.#of(nodes)) {
      assert.equal(count.failed, 0, `${when}: ${name}: ${JSON.stringify(count)}`);
      assert.ok(count.ok > 0, `${when}: ${name} was not served: ${JSON.stringify(count)}`);
    }
  }

  /** From now on every request is refused: each has some. */
  async assertRefused(when: string, nodes?: readonly ClusterNode[]): Promise<void> {
    const counters = this.#of(nodes);
    for (const [, counter] of counters) counter.reset();
    await pause(500);
    await until(() => (counters.every(([, { count }]) => count.failed + count.ok > 1) ? true : undefined), {
      deadlineMs: 30_000,
      otherwise: () => `${when}: not all have asked`,
    });
    this.assertNeverServed(when, nodes);
  }

  /** Every request since the last reset was refused. */
  assertNeverServed(when: string, nodes?: readonly ClusterNode[]): void {
    for (const [name, { count }] of this.#of(nodes)) {
      assert.equal(count.ok, 0, `${when}: ${name} is served still: ${JSON.stringify(count)}`);
      assert.ok(count.failed > 0, `${when}: ${name}: ${JSON.stringify(count)}`);
    }
  }

  /** They ask no more. */
  async dismiss(): Promise<void> {
    await this.#cluster.dismiss(this.#of(undefined).map(([, counter]) => counter));
  }

  #of(nodes: readonly ClusterNode[] | undefined): readonly (readonly [string, Counter])[] {
    return [...this.#counters].flatMap(([node, counters]) =>
      nodes === undefined || (node !== undefined && nodes.includes(node)) ? counters : [],
    );
  }
}

/** No request of a component of the cluster has failed: kubelets, controller managers, schedulers. */
export function assertComponentsServed(cluster: RotationCluster, when: string): void {
  for (const [name, count] of Object.entries(cluster.report())) {
    if (/^(?:kubelet|kube-controller-manager|kube-scheduler) /.test(name))
      assert.equal(count.failed, 0, `${when}: ${name}: ${JSON.stringify(count)}`);
  }
}
