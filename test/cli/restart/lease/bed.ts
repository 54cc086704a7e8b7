import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { staticPod } from '../../../faults/static-pod.ts';
import { makeAuthority, type Pair } from '../../../support/cluster/authority.ts';
import { leaseApi, type LeaseApi } from '../../../support/cluster/lease-api.ts';
import { startClusterServer, type ClusterServer, type Faults } from '../../../support/cluster/server.ts';
import { judge } from '../../../support/judge.ts';
import { temporaryDirectory } from '../../../support/tree.ts';

export interface LeaseBed {
  readonly roots: readonly string[];
  readonly server: ClusterServer;
  readonly leases: LeaseApi;
}

export const manifestOf = (root: string): string =>
  join(root, 'etc/kubernetes/manifests/kube-scheduler.yaml');

/** Control planes of one cluster whose kube-scheduler can be restarted, and its API server. undefined: no openssl. */
export async function leaseBed(
  t: TestContext,
  {
    nodes,
    faults,
    user = '/O=system:masters/CN=kubernetes-admin',
    trees = [],
  }: {
    readonly nodes: number;
    readonly faults?: Faults;
    readonly user?: string;
    /** The trees of the first nodes; by default nothing is in them. */
    readonly trees?: readonly string[];
  },
): Promise<LeaseBed | undefined> {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const authority = makeAuthority(openssl, temporaryDirectory(t), 'kubernetes');
  const leases = leaseApi();
  const server = await startClusterServer({
    ca: authority.ca,
    serving: authority.issue({ subject: '/CN=kube-apiserver', names: 'DNS:kubernetes,IP:127.0.0.1' }),
    apis: [leases.api],
    ...(faults === undefined ? {} : { faults }),
  });
  t.after(() => server.stop());
  const admin = authority.issue({ subject: user });
  const names = Array.from({ length: nodes }, (_, index) => `cp-${String(index + 1)}`);
  const cluster = names.map((name) => `${name}=https://192.0.2.1:2380`).join(',');
  const roots: string[] = [];
  for (const [index, name] of names.entries()) {
    const root = trees[index] ?? join(temporaryDirectory(t), name);
    const kubernetes = join(root, 'etc/kubernetes');
    mkdirSync(join(kubernetes, 'pki'), { recursive: true });
    writeFileSync(join(kubernetes, 'admin.conf'), kubeconfig(server.port, authority.ca, admin), {
      mode: 0o600,
    });
    const pod = await staticPod(t);
    pod.lay(root);
    writeFileSync(
      join(kubernetes, 'manifests/etcd.yaml'),
      `spec: {containers: [{name: etcd, command: [etcd, --name=${name}, "--initial-cluster=${cluster}"]}]}\n`,
    );
    pod.follow(root);
    roots.push(root);
  }
  return { roots, server, leases };
}

function kubeconfig(port: number, ca: Buffer, { certificate, key }: Pair): string {
  return [
    'apiVersion: v1',
    'kind: Config',
    'current-context: admin',
    `clusters: [{name: c, cluster: {server: "https://127.0.0.1:${String(port)}", certificate-authority-data: ${ca.toString('base64')}}}]`,
    'contexts: [{name: admin, context: {cluster: c, user: admin}}]',
    `users: [{name: admin, user: {client-certificate-data: ${certificate.toString('base64')}, client-key-data: ${key.toString('base64')}}}]`,
    '',
  ].join('\n');
}
