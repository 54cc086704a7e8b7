/** What it costs to start, in CPU time: of one tree there is hardly anything else to do. */
import { join } from 'node:path';
import { time, type Bench } from './bench.ts';
import { ratio, type Figure } from './figure.ts';
import { copyOf } from './place.ts';
import type { Words } from './timers/timing.ts';

const kinds = { RSA: 'stacked-etcd-rsa', ECDSA: 'ipv6' } as const;
const limits = { node: 2.4, executable: 2 } as const;

/** What check-expiration reads, below a node's /etc/kubernetes. */
export const certificateFiles = [
  'apiserver',
  'apiserver-etcd-client',
  'apiserver-kubelet-client',
  'ca',
  'etcd/ca',
  'etcd/healthcheck-client',
  'etcd/peer',
  'etcd/server',
  'front-proxy-ca',
  'front-proxy-client',
].map((name) => `pki/${name}.crt`);
export const kubeconfigFiles = ['admin.conf', 'controller-manager.conf', 'scheduler.conf'];

export function startUp(bench: Bench): readonly Figure[] {
  return Object.entries(kinds).flatMap(([kind, role]) => {
    const tree = copyOf(role, bench.memory);
    const { kubepki, readAndParse, bareNode } = bench.programs;
    const look = ['certs', 'check-expiration', '--rootfs', tree];
    const files = [...certificateFiles, ...kubeconfigFiles].map((file) => join(tree, 'etc/kubernetes', file));
    const took = time(bench, { rounds: 40, runs: 3 }, {
      node: [...kubepki.node, ...look],
      executable: [...kubepki.executable, ...look],
      bareNode,
      probe: [...readAndParse, ...files],
    } satisfies Record<string, Words>);
    const unit = 'ms CPU';
    const of = 'check-expiration';
    return [
      ratio(
        { name: `Start-up, Node.js, ${kind}`, unit, limit: limits.node },
        { of, value: took.node.cpuMs },
        { of: '`node -e 0`', value: took.bareNode.cpuMs },
      ),
      ratio(
        { name: `Start-up, executable, ${kind}`, unit, limit: limits.executable },
        { of, value: took.executable.cpuMs },
        { of: 'reading and parsing the same files', value: took.probe.cpuMs },
      ),
    ];
  });
}
