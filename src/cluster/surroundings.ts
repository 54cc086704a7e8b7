import { CoreV1Api, DiscoveryV1Api } from '@kubernetes/client-node';
import type { ClusterNode, ClusterService } from '../operations/kubelet-serving/surroundings.ts';
import { answered } from './answered.ts';
import type { Ask } from './api.ts';
import { ClusterFailure } from './cluster-failure.ts';
import { listAll, notList, partsOf } from './list-all.ts';

/** @throws ClusterFailure */
export function readNodes(ask: Ask): Promise<readonly ClusterNode[]> {
  return listAll(ask, {
    kind: 'NodeList',
    page: (configuration, page) => new CoreV1Api(configuration).listNode(page),
    parse: (item) => {
      const { metadata, status } = partsOf(item);
      const { addresses } = partsOf(status);
      return {
        name: text(partsOf(metadata)['name'], 'NodeList'),
        addresses: list(addresses, 'NodeList').map((one) => ({
          type: text(partsOf(one)['type'], 'NodeList'),
          address: text(partsOf(one)['address'], 'NodeList'),
        })),
      };
    },
  });
}

/**
 * Of all namespaces.
 * @throws ClusterFailure
 */
export function readServices(ask: Ask): Promise<readonly ClusterService[]> {
  return listAll(ask, {
    kind: 'ServiceList',
    page: (configuration, page) => new CoreV1Api(configuration).listServiceForAllNamespaces(page),
    parse: serviceIn,
  });
}

function serviceIn(item: unknown): ClusterService {
  const kind = 'ServiceList';
  const { metadata, spec, status } = partsOf(item);
  const { namespace, name } = partsOf(metadata);
  const { clusterIP, clusterIPs, externalIPs, loadBalancerIP } = partsOf(spec);
  const { ingress } = partsOf(partsOf(status)['loadBalancer']);
  return {
    namespace: text(namespace, kind),
    name: text(name, kind),
    // Before Kubernetes 1.20 there is but the one.
    clusterIPs: [...optionalText(clusterIP, kind), ...addressesIn(clusterIPs, kind)],
    externalIPs: addressesIn(externalIPs, kind),
    loadBalancers: [
      ...optionalText(loadBalancerIP, kind),
      ...list(ingress, kind).flatMap((one) => [
        ...optionalText(partsOf(one)['ip'], kind),
        ...optionalText(partsOf(one)['hostname'], kind),
      ]),
    ],
  };
}

const where = { namespace: 'default', name: 'kubernetes' } as const;

/**
 * The addresses behind the Service `kubernetes`: of its EndpointSlices, or, in a cluster that is older than these, of its
 * Endpoints.
 * @throws ClusterFailure also where there are none: an API server has just answered
 */
export async function readKubernetesEndpoints(ask: Ask): Promise<readonly string[]> {
  const inSlices = await slices(ask);
  const found = inSlices.length > 0 ? inSlices : await endpoints(ask);
  if (found.length > 0) return found;
  throw new ClusterFailure(
    'the Service kubernetes has no endpoints, so that nobody can say which addresses are those of API servers',
    { retryable: false },
    { hint: 'look at them: kubectl -n default get endpointslices,endpoints' },
  );
}

async function slices(ask: Ask): Promise<readonly string[]> {
  const kind = 'EndpointSliceList';
  try {
    const all = await listAll(ask, {
      kind,
      page: (configuration, page) =>
        new DiscoveryV1Api(configuration).listNamespacedEndpointSlice({
          ...page,
          namespace: where.namespace,
          labelSelector: `kubernetes.io/service-name=${where.name}`,
        }),
      parse: (item) =>
        list(partsOf(item)['endpoints'], kind).flatMap((one) => addressesIn(partsOf(one)['addresses'], kind)),
    });
    return all.flat();
  } catch (error) {
    // Of a list, that is: the API server has no such kind.
    if (answered(error) === 404) return [];
    throw error;
  }
}

async function endpoints(ask: Ask): Promise<readonly string[]> {
  const kind = 'Endpoints';
  try {
    return await ask(async (configuration) => {
      const answer: unknown = await new CoreV1Api(configuration).readNamespacedEndpoints(where);
      const { kind: found, metadata, subsets } = partsOf(answer);
      if (found !== kind || partsOf(metadata)['name'] !== where.name) {
        throw notList(kind, 'it is something else');
      }
      return list(subsets, kind).flatMap((subset) => {
        const { addresses, notReadyAddresses } = partsOf(subset);
        return [...list(addresses, kind), ...list(notReadyAddresses, kind)].flatMap((one) => [
          text(partsOf(one)['ip'], kind),
          ...optionalText(partsOf(one)['hostname'], kind),
        ]);
      });
    });
  } catch (error) {
    if (answered(error) === 404) return [];
    throw error;
  }
}

// The client believes whatever it is told.

function text(value: unknown, kind: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw notList(kind, 'something in it is not a text');
}

/** Go leaves out what is empty, or writes it as such. */
function optionalText(value: unknown, kind: string): readonly string[] {
  return value === undefined || value === null || value === '' ? [] : [text(value, kind)];
}

/** Of a text in the place of a list the client makes a list of its characters: each has to be an address, or `None`. */
function addressesIn(value: unknown, kind: string): readonly string[] {
  return list(value, kind).map((one) => {
    const address = text(one, kind);
    if (address === 'None' || /^\d+(?:\.\d+){3}$|^[^:]*:.*:/.test(address)) return address;
    throw notList(kind, 'something in it is not an address');
  });
}

function list(value: unknown, kind: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw notList(kind, 'something in it is not a list');
}
