import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { SigningRequest } from '../../../src/operations/kubelet-serving/signing-request.ts';
import type { ClusterService, Surroundings } from '../../../src/operations/kubelet-serving/surroundings.ts';
import { object, surroundings, wanted } from '../../operations/kubelet-serving/sample.ts';
import { judge } from '../judge.ts';
import { kubepkiInProcess } from '../in-process.ts';
import type { Outcome, RunOptions } from '../kubepki.ts';
import { RequestMaker, type Wanted } from '../certificates/serving-request.ts';
import { temporaryDirectory, type Tree } from '../tree.ts';
import { csrApi, type CsrApi } from './csr-api.ts';
import { clusterConfiguration, nodeOfCluster, type NodeOfClusterWishes } from './node.ts';
import { node, objectsApi, type NamedObject, type ObjectsByPath } from './objects-api.ts';
import { kubeadmConfigMap, type Api, type ClusterServer } from './server.ts';

export interface ServingBed {
  readonly tree: Tree;
  readonly server: ClusterServer;
  readonly csr: CsrApi;
  readonly maker: RequestMaker;
  /** A request with which nothing is wrong but what is said. */
  put(name: string, changes?: Partial<SigningRequest>, asked?: Partial<Wanted>): void;
  /** `kubepki csr …` with the node's admin.conf. */
  run(...args: readonly string[]): Promise<Outcome>;
  /** The same on another machine. */
  runWith(options: Pick<RunOptions, 'programs'>, ...args: readonly string[]): Promise<Outcome>;
  /** Name and conditions of each request that is kept. */
  standing(): Readonly<Record<string, string>>;
}

export interface ServingBedWishes extends Pick<NodeOfClusterWishes, 'fault' | 'faults' | 'serving'> {
  readonly surroundings?: Surroundings;
  /** Asked before all others. */
  readonly before?: Api;
  /** Lists instead of those of the surroundings. */
  readonly lists?: ObjectsByPath;
  readonly clusterConfiguration?: string;
}

/** @returns undefined: there is no openssl, and the test is skipped */
export async function servingBed(
  t: TestContext,
  wishes: ServingBedWishes = {},
): Promise<ServingBed | undefined> {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const scratch = temporaryDirectory(t);
  const around = wishes.surroundings ?? surroundings();
  const maker = new RequestMaker(openssl, scratch);
  const apis = new Map<'csr', CsrApi>();
  const { fault, faults, serving } = wishes;
  const { tree, server } = await nodeOfCluster(t, {
    ...(fault === undefined ? {} : { fault }),
    ...(faults === undefined ? {} : { faults }),
    ...(serving === undefined ? {} : { serving }),
    apis: ({ certDir }) => {
      const ca = { certificate: join(certDir, 'ca.crt'), key: join(certDir, 'ca.key') };
      const certificates = csrApi({ openssl, ca, scratch });
      apis.set('csr', certificates);
      const config = wishes.clusterConfiguration ?? configurationOf(around);
      return [
        ...(wishes.before === undefined ? [] : [wishes.before]),
        certificates.api,
        kubeadmConfigMap(config),
        objectsApi({ ...listsOf(around), ...wishes.lists }),
      ];
    },
  });
  const lookUp = lookUpOf(t, around);
  const csr = apis.get('csr');
  if (csr === undefined) throw new Error('the server has no certificates API');
  return {
    ...{ tree, server, csr, maker },
    put: (name, changes = {}, asked = {}) => {
      const request = changes.request ?? maker.make({ ...wanted, ...asked });
      const { signerName, username, groups, usages, expirationSeconds, conditions } = {
        ...object,
        ...changes,
      };
      csr.put(name, {
        request: Buffer.from(request).toString('base64'),
        ...{ signerName, usages, username, groups },
        ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      });
      for (const type of conditions) {
        csr.decide(name, { type: type as 'Approved', reason: 'Somebody', message: 'before' });
      }
    },
    run: (...args) => kubepkiInProcess(['csr', ...args, '--rootfs', tree.directory], lookUp),
    runWith: (options, ...args) => kubepkiInProcess(['csr', ...args, '--rootfs', tree.directory], options),
    standing: () =>
      Object.fromEntries(
        csr
          .kept()
          .map(({ metadata: { name }, status: { conditions = [] } }) => [
            name,
            conditions.map(({ type }) => type).join() || 'pending',
          ]),
      ),
  };
}

function configurationOf({ controlPlaneEndpoint, dnsDomain }: Surroundings): string {
  return clusterConfiguration(
    ...(controlPlaneEndpoint === undefined
      ? []
      : [`controlPlaneEndpoint: ${controlPlaneEndpoint.host}:6443`]),
    `networking: {dnsDomain: ${dnsDomain}}`,
  );
}

/** A machine whose `getent` knows the controlPlaneEndpoint, and nothing else. */
function lookUpOf(t: TestContext, { controlPlaneEndpoint }: Surroundings): RunOptions {
  if (controlPlaneEndpoint === undefined) return {};
  const { host, addresses } = controlPlaneEndpoint;
  const bin = temporaryDirectory(t);
  const lines = addresses.map((address) => `echo '${address} STREAM'`);
  writeFileSync(
    join(bin, 'getent'),
    ['#!/bin/sh', `[ "$*" = 'ahosts ${host}' ] || exit 2`, ...lines, ''].join('\n'),
    { mode: 0o755 },
  );
  return { programs: bin };
}

export const slicesPath = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
export const endpointsPath = '/api/v1/namespaces/default/endpoints';

/** As an API server gives them; of what was not recorded, only what the Kubernetes API reference has of it. */
function listsOf({ nodes, services, kubernetesEndpoints }: Surroundings): ObjectsByPath {
  return {
    '/api/v1/nodes': { kind: 'Node', items: nodes.map(({ name, addresses }) => node(name, addresses)) },
    '/api/v1/services': { kind: 'Service', items: services.map(service) },
    [slicesPath]: { kind: 'EndpointSlice', items: [slice(kubernetesEndpoints)] },
  };
}

function service({ namespace, name, clusterIPs, externalIPs, loadBalancers }: ClusterService): NamedObject {
  const ingress = loadBalancers.map((one) => (/^[\d.]+$/.test(one) ? { ip: one } : { hostname: one }));
  return {
    metadata: { namespace, name },
    ...{
      spec: { type: 'LoadBalancer', clusterIP: clusterIPs[0], clusterIPs, externalIPs },
      status: { loadBalancer: ingress.length === 0 ? {} : { ingress } },
    },
  } as NamedObject;
}

function slice(addresses: readonly string[]): NamedObject {
  return {
    metadata: { namespace: 'default', name: 'kubernetes' },
    ...{
      addressType: 'IPv4',
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
      ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
    },
  } as NamedObject;
}
