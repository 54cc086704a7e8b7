import * as z from 'zod';
import type { ClusterNode, ClusterService } from '../operations/kubelet-serving/surroundings.ts';
import { answered, ClusterFailure } from './failure.ts';
import type { Ask } from './api.ts';
import { isAddress, listOf, optionalText, text } from './expected.ts';
import { listAll, pageOf } from './list-all.ts';

/** An address, or the `None` of a headless Service. */
const address = z
  .string()
  .refine((given) => given === 'None' || /^\d+(?:\.\d+){3}$|^[^:]*:.*:/.test(given), 'is not an address');

const node = z
  .object({
    metadata: z.object({ name: text }),
    status: z.object({ addresses: listOf(z.object({ type: text, address: text })) }).nullish(),
  })
  .transform(({ metadata, status }): ClusterNode => ({
    name: metadata.name,
    addresses: status?.addresses ?? [],
  }));

/** @throws ClusterFailure */
export function readNodes(ask: Ask): Promise<readonly ClusterNode[]> {
  return listAll(ask, { path: '/api/v1/nodes', answer: pageOf('NodeList', node) });
}

const balancer = z.object({ ip: optionalText, hostname: optionalText });

const service = z
  .object({
    metadata: z.object({ namespace: text, name: text }),
    spec: z
      .object({
        clusterIP: optionalText,
        clusterIPs: listOf(address),
        externalIPs: listOf(address),
        loadBalancerIP: optionalText,
      })
      .nullish(),
    status: z.object({ loadBalancer: z.object({ ingress: listOf(balancer) }).nullish() }).nullish(),
  })
  .transform(({ metadata: { namespace, name }, spec, status }): ClusterService => ({
    namespace,
    name,
    // Before Kubernetes 1.20 a Service has no `clusterIPs`.
    clusterIPs: [...(spec?.clusterIP ?? []), ...(spec?.clusterIPs ?? [])],
    externalIPs: spec?.externalIPs ?? [],
    loadBalancers: [
      ...(spec?.loadBalancerIP ?? []),
      ...(status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => [...ip, ...hostname]),
    ],
  }));

/**
 * Reads the Services of all namespaces.
 * @throws ClusterFailure
 */
export function readServices(ask: Ask): Promise<readonly ClusterService[]> {
  return listAll(ask, { path: '/api/v1/services', answer: pageOf('ServiceList', service) });
}

/** Addresses of the Service `kubernetes` that have the same ports. */
interface ApiServerGroup {
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
}

/**
 * Reads the addresses behind the Service `kubernetes`, from its EndpointSlices or, in a cluster that is older than these, from
 * its Endpoints.
 * @throws ClusterFailure also where there are none: an API server has just answered
 */
export async function readKubernetesEndpoints(ask: Ask): Promise<readonly string[]> {
  return (await apiServerGroups(ask)).flatMap(({ addresses }) => addresses);
}

/**
 * Reads the same as places where an API server listens.
 * @throws ClusterFailure as above
 */
export async function readApiServers(
  ask: Ask,
): Promise<readonly { readonly host: string; readonly port: number }[]> {
  const groups = await apiServerGroups(ask);
  return groups.flatMap(({ addresses, ports: [port = 6443] }) =>
    addresses.filter(isAddress).map((host) => ({ host, port })),
  );
}

async function apiServerGroups(ask: Ask): Promise<readonly ApiServerGroup[]> {
  // To a list an API server answers 404 where it has no such kind.
  const inSlices = await orNone(slices(ask));
  const found = inSlices.length > 0 ? inSlices : await orNone(endpoints(ask));
  if (found.length > 0) return found;
  throw new ClusterFailure(
    'the Service kubernetes has no endpoints, so that nobody can say which addresses are those of API servers',
    { retryable: false },
    { hint: 'look at them: kubectl -n default get endpointslices,endpoints' },
  );
}

async function orNone(found: Promise<readonly ApiServerGroup[]>): Promise<readonly ApiServerGroup[]> {
  try {
    return (await found).filter(({ addresses }) => addresses.length > 0);
  } catch (error) {
    if (answered(error) === 404) return [];
    throw error;
  }
}

/** Those of one that may be anything are none. */
const ports = z
  .array(z.object({ port: z.int().min(1).max(65_535) }))
  .transform((given): readonly number[] => given.map(({ port }) => port))
  .catch([]);

const slice = z
  .object({ endpoints: listOf(z.object({ addresses: listOf(address) })), ports })
  .transform(({ endpoints: all, ports: at }) => ({
    addresses: all.flatMap(({ addresses }) => addresses),
    ports: at,
  }));

function slices(ask: Ask): Promise<readonly ApiServerGroup[]> {
  return listAll(ask, {
    path: '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
    query: { labelSelector: 'kubernetes.io/service-name=kubernetes' },
    answer: pageOf('EndpointSliceList', slice),
  });
}

const endpoint = z
  .object({ ip: text, hostname: optionalText })
  .transform(({ ip, hostname }) => [ip, ...hostname]);

const endpointsObject = z.object({
  kind: z.literal('Endpoints'),
  metadata: z.object({ name: z.literal('kubernetes') }),
  subsets: listOf(z.object({ addresses: listOf(endpoint), notReadyAddresses: listOf(endpoint), ports })),
});

async function endpoints(ask: Ask): Promise<readonly ApiServerGroup[]> {
  const { subsets } = await ask({
    path: '/api/v1/namespaces/default/endpoints/kubernetes',
    answer: { what: 'the Endpoints kubernetes', schema: endpointsObject },
  });
  return subsets.map(({ addresses, notReadyAddresses, ports: at }) => ({
    addresses: [...addresses, ...notReadyAddresses].flat(),
    ports: at,
  }));
}
