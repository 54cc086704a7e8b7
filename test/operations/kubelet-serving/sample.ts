import { parseAllowedCidr, parseAllowedDns } from '../../../src/operations/kubelet-serving/allow-list.ts';
import type { Selection } from '../../../src/operations/kubelet-serving/name-checks.ts';
import type { SigningRequest } from '../../../src/operations/kubelet-serving/signing-request.ts';
import type { ClusterNode, Surroundings } from '../../../src/operations/kubelet-serving/surroundings.ts';
import type { Wanted } from '../../support/certificates/serving-request.ts';

/** A request with which nothing is wrong. */
export const wanted: Wanted = {
  subject: ['O = system:nodes', 'CN = system:node:node-1'],
  names: ['DNS:node-1', 'DNS:node-1.example.internal', 'IP:192.0.2.10', 'IP:2001:db8::10', 'IP:203.0.113.10'],
  key: 'P-256',
  extensions: [],
  attributes: [],
  options: [],
};

export const object: Omit<SigningRequest, 'request'> = {
  name: 'csr-9wvgt',
  createdAt: new Date('2026-11-23T21:35:29Z'),
  signerName: 'kubernetes.io/kubelet-serving',
  username: 'system:node:node-1',
  groups: ['system:nodes', 'system:authenticated'],
  usages: ['digital signature', 'key encipherment', 'server auth'],
  expirationSeconds: undefined,
  conditions: [],
  issued: false,
};

export const ownAddresses: ClusterNode['addresses'] = [
  { type: 'Hostname', address: 'node-1' },
  { type: 'InternalDNS', address: 'node-1.Example.internal' },
  { type: 'ExternalDNS', address: 'node-1.example.com' },
  { type: 'InternalIP', address: '192.0.2.10' },
  { type: 'InternalIP', address: '2001:DB8:0::10' },
  { type: 'ExternalIP', address: '203.0.113.10' },
];

export function surroundings(
  moreOfItsOwn: ClusterNode['addresses'] = [],
  changes: Partial<Surroundings> = {},
): Surroundings {
  return {
    nodes: [
      { name: 'node-1', addresses: [...ownAddresses, ...moreOfItsOwn] },
      {
        name: 'node-2',
        addresses: [
          { type: 'Hostname', address: 'Node-2.example.internal' },
          { type: 'InternalIP', address: '192.0.2.20' },
          { type: 'InternalIP', address: '2001:db8::20' },
        ],
      },
    ],
    services: [
      {
        namespace: 'default',
        name: 'kubernetes',
        clusterIPs: ['10.96.0.1'],
        externalIPs: [],
        loadBalancers: [],
      },
      {
        namespace: 'shop',
        name: 'web',
        clusterIPs: ['10.96.0.77', 'fd00:96::77'],
        externalIPs: ['198.51.100.7'],
        loadBalancers: ['198.51.100.8', 'lb.example.com'],
      },
      { namespace: 'shop', name: 'db', clusterIPs: ['None'], externalIPs: [], loadBalancers: [] },
    ],
    kubernetesEndpoints: ['192.0.2.100', '2001:db8::100'],
    controlPlaneEndpoint: { host: 'api.example.internal', addresses: ['192.0.2.101'] },
    dnsDomain: 'cluster.local',
    ...changes,
  };
}

export function selection(by: Selection['by'], cidrs: readonly string[], dns: readonly string[]): Selection {
  return { by, allow: { cidrs: cidrs.map(parseAllowedCidr), dns: dns.map(parseAllowedDns) } };
}

export const byName = selection('name', [], []);
export const all = selection(
  'all',
  ['192.0.2.0/24', '2001:db8::/32', '203.0.113.0/24'],
  ['node-*', 'example.internal'],
);
