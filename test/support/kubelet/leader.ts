import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { ControlPlane } from './control-plane.ts';

interface Status {
  readonly Status: { readonly header: { readonly member_id: number }; readonly leader: number };
}

/** Makes another member than this node's the leader of the etcd cluster. @returns which, counted from 0 */
export function letAnotherLead(etcdctl: string, { tree, ports, otherPorts }: ControlPlane): number {
  const pki = join(tree.certDir, 'etcd');
  const run = (ports: readonly number[], ...args: readonly string[]): string =>
    execFileSync(
      etcdctl,
      [
        `--endpoints=${ports.map((port) => `https://127.0.0.1:${String(port)}`).join(',')}`,
        `--cacert=${pki}/ca.crt`,
        `--cert=${pki}/healthcheck-client.crt`,
        `--key=${pki}/healthcheck-client.key`,
        ...args,
      ],
      { encoding: 'utf8', env: { ...process.env, ETCDCTL_API: '3' } },
    );
  const clients = [ports, ...otherPorts].map(({ etcdClient }) => etcdClient);
  // Member ids are larger than a number holds, so they are read as text.
  const text = run(clients, 'endpoint', 'status', '-w', 'json').replaceAll(/:(\d{16,})/g, ':"$1"');
  const statuses = JSON.parse(text) as readonly Status[];
  const ids = statuses.map(({ Status: { header } }) => header.member_id);
  const leader = ids.findIndex((id) => id === statuses[0]?.Status.leader);
  if (leader > 0) return leader - 1;
  // etcdctl takes it in hexadecimal.
  const [, next = 0] = ids;
  run([clients[0] ?? 0], 'move-leader', BigInt(next).toString(16));
  return 0;
}
