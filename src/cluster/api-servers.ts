import type { ApiAccess } from './connection.ts';
import type { ServingNode } from './pki-objects.ts';

/** Where a server listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * Where each API server of the cluster is. A control-plane node whose API server is down is no endpoint, and is among them all the same.
 * @param endpoints of the Service `kubernetes`
 */
export function apiServerPlaces(endpoints: readonly Place[], nodes: readonly ServingNode[]): Place[] {
  const distinct = new Map(endpoints.map((place) => [authorityOf(place), place]));
  const hosts = new Set(endpoints.map(({ host }) => host));
  const others = nodes.filter(
    ({ isControlPlane, addresses }) => isControlPlane && !addresses.some((address) => hosts.has(address)),
  );
  const port = endpoints[0]?.port ?? 6443;
  return [
    ...distinct.values(),
    ...others.flatMap(({ addresses: [host] }) => (host === undefined ? [] : [{ host, port }])),
  ];
}

/** The same credentials for one API server: behind the kubeconfig's address there may be any of them. */
export function accessTo(place: Place, access: ApiAccess): ApiAccess {
  return {
    ...access,
    server: new URL(`https://${authorityOf(place)}`),
    // Every API server has this name, and no other server of the cluster, so that no other sees the credentials.
    serverName: 'kubernetes',
  };
}

/** `192.0.2.1:6443`, `[2001:db8::1]:6443` */
function authorityOf({ host, port }: Place): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}
