import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { judge } from '../judge.ts';
import { kubepkiInProcess } from '../in-process.ts';
import type { Outcome } from '../kubepki.ts';
import { clusterInfo } from '../planners/verified-cluster.ts';
import { verifiedNode } from '../planners/verified-node.ts';
import { temporaryDirectory, type Tree } from '../tree.ts';
import { authorityOf, type Pair } from './authority.ts';
import { csrApi, type CsrApi } from './csr-api.ts';
import { clusterConfiguration, nodeOfCluster, type NodeOfClusterWishes } from './node.ts';
import { keySet } from './key-set.ts';
import { node, objectsApi, type NamedObject, type ObjectsByPath } from './objects-api.ts';
import { forbidden, isAdmin } from './rbac.ts';
import { kubeadmConfigMap, startClusterServer, type Api, type ClusterServer } from './server.ts';
import { slicesPath } from './serving-bed.ts';

/** What the API server keeps; a test changes it before it asks. */
export interface Kept {
  namespaces: string[];
  /** By namespace, PEM. */
  rootCas: Record<string, string>;
  clusterInfo: string | undefined;
  authentication: Record<string, string> | undefined;
  configuration: string;
  /** Ports on this machine. */
  apiServers: number[];
  /** By node, the port of its kubelet on this machine. */
  kubelets: Record<string, number>;
  /** The ids of the keys by which the API server judges tokens. */
  tokenKeys: string[];
  bindings: { readonly name: string; readonly role: string; readonly group: string }[];
  /** How many objects of a list are given at once. */
  pageSize: number;
}

export interface VerifiedBed {
  readonly tree: Tree;
  readonly server: ClusterServer;
  readonly csr: CsrApi;
  readonly kept: Kept;
  readonly openssl: string;
  /** A certificate for a server, of the cluster's CA. */
  readonly issue: (names: string, expired?: boolean) => Pair;
  /** Starts a server on this machine that shows it. @returns its port */
  readonly serve: (pair: Pair, wishes?: Pick<NodeOfClusterWishes, 'fault'>) => Promise<number>;
  /** `kubepki verify --cluster` of the node. */
  readonly verify: (...args: readonly string[]) => Promise<Outcome>;
}

/**
 * A node and the cluster that goes with it: two API servers, and two kubelets whose certificates the cluster has signed.
 * @returns undefined: there is no openssl, and the test is skipped
 */
export async function verifiedBed(
  t: TestContext,
  { fault, faults }: Pick<NodeOfClusterWishes, 'fault' | 'faults'> = {},
): Promise<VerifiedBed | undefined> {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const tree = verifiedNode(t);
  const pki = (name: string): Buffer => readFileSync(join(tree.certDir, name));
  const files = { certificate: join(tree.certDir, 'ca.crt'), key: join(tree.certDir, 'ca.key') };
  const scratch = temporaryDirectory(t);
  const authority = authorityOf(openssl, files, scratch);
  const ca = pki('ca.crt').toString();
  const kept: Kept = {
    namespaces: ['default', 'kube-public', 'kube-system'],
    rootCas: { default: ca, 'kube-public': ca, 'kube-system': ca },
    clusterInfo: clusterInfo(ca),
    authentication: {
      'client-ca-file': ca,
      'requestheader-client-ca-file': pki('front-proxy-ca.crt').toString(),
      'requestheader-allowed-names': '["front-proxy-client"]',
    },
    configuration: clusterConfiguration(
      'controlPlaneEndpoint: 192.0.2.10:6443',
      'certificatesDir: /etc/kubernetes/pki',
      'apiServer: {certSANs: [127.0.0.1]}',
      'networking: {dnsDomain: cluster.local, serviceSubnet: 10.96.0.0/12}',
    ),
    ...{ apiServers: [], kubelets: {}, tokenKeys: [keyIdOf(pki('sa.pub'))] },
    bindings: [{ name: 'kubeadm:cluster-admins', role: 'cluster-admin', group: 'kubeadm:cluster-admins' }],
    pageSize: 100,
  };
  const csr = csrApi({ openssl, ca: files, scratch });
  const apis: Api[] = [
    tokenKeysApi(kept),
    csr.api,
    (asked) => kubeadmConfigMap(kept.configuration)(asked),
    (asked) => objectsApi(listsOf(kept))(asked),
  ];
  const wishes = { ...(fault === undefined ? {} : { fault }), ...(faults === undefined ? {} : { faults }) };
  const { server } = await nodeOfCluster(t, { tree, apis: () => apis, ...wishes });
  const serve: VerifiedBed['serve'] = async (serving, more = {}) => {
    const other = await startClusterServer({ ca: pki('ca.crt'), serving, apis, ...more });
    t.after(() => other.stop());
    return other.port;
  };
  const issue: VerifiedBed['issue'] = (names, expired = false) =>
    authority.issue({ subject: '/CN=server', names, expired });
  kept.apiServers = [server.port, await serve(issue('DNS:kubernetes,IP:127.0.0.1'))];
  const kubelet = await serve(issue('IP:127.0.0.1'));
  kept.kubelets = { 'cp-1': kubelet, 'worker-1': kubelet };
  return {
    ...{ tree, server, csr, kept, openssl, issue, serve },
    verify: (...args) => kubepkiInProcess(['verify', '--cluster', '--rootfs', tree.directory, ...args]),
  };
}

/** As Kubernetes documents it (Service Account Issuer Discovery): the SHA-256 of the key, in base64url. */
function keyIdOf(pem: Buffer): string {
  const info = createPublicKey(pem).export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(info).digest('base64url');
}

function tokenKeysApi(kept: Kept): Api {
  return (asked) => {
    if (asked.path !== '/openid/v1/jwks') return undefined;
    if (!isAdmin(asked.identity))
      return forbidden(asked, { group: '', resource: asked.path, name: undefined });
    return keySet(asked.accept, () =>
      kept.tokenKeys.map((kid) => ({ use: 'sig', kty: 'RSA', kid, alg: 'RS256', n: 'AQ', e: 'AQAB' })),
    );
  };
}

const hourAgo = (): string => new Date(Date.now() - 3_600_000).toISOString().replace(/\.\d+/, '');

function listsOf(kept: Kept): ObjectsByPath {
  const { pageSize } = kept;
  const inNamespace = (namespace: string, name: string, data: object): NamedObject =>
    ({ metadata: { namespace, name }, data }) as NamedObject;
  const one = (namespace: string, name: string, data: object | undefined) => ({
    kind: 'ConfigMap',
    items: data === undefined ? [] : [inNamespace(namespace, name, data)],
  });
  const info = kept.clusterInfo === undefined ? undefined : { kubeconfig: kept.clusterInfo };
  const authentication = 'extension-apiserver-authentication';
  return {
    '/api/v1/configmaps': {
      kind: 'ConfigMap',
      pageSize,
      items: [
        inNamespace('default', 'another', { 'ca.crt': 'none' }),
        ...Object.entries(kept.rootCas).map(([namespace, pem]) =>
          inNamespace(namespace, 'kube-root-ca.crt', { 'ca.crt': pem }),
        ),
      ],
    },
    '/api/v1/namespaces/kube-public/configmaps': one('kube-public', 'cluster-info', info),
    '/api/v1/namespaces/kube-system/configmaps': one('kube-system', authentication, kept.authentication),
    '/api/v1/namespaces': {
      kind: 'Namespace',
      pageSize,
      items: kept.namespaces.map((name) => ({
        metadata: { name, creationTimestamp: hourAgo() },
        status: { phase: 'Active' },
      })),
    },
    '/api/v1/nodes': {
      kind: 'Node',
      pageSize,
      items: Object.entries(kept.kubelets).map(([name, port]) => nodeWith(name, port)),
    },
    [slicesPath]: {
      kind: 'EndpointSlice',
      items: kept.apiServers.map(
        (port, index) =>
          ({
            metadata: { namespace: 'default', name: `kubernetes-${String(index)}` },
            addressType: 'IPv4',
            endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
            ports: [{ name: 'https', port, protocol: 'TCP' }],
          }) as NamedObject,
      ),
    },
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings': {
      kind: 'ClusterRoleBinding',
      pageSize,
      items: kept.bindings.map(
        ({ name, role, group }) =>
          ({
            metadata: { name },
            roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
            subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
          }) as NamedObject,
      ),
    },
  };
}

/** The recorded Node, Ready, with the port of its kubelet. */
function nodeWith(name: string, port: number): NamedObject {
  const recorded = node(name, [{ type: 'InternalIP', address: '127.0.0.1' }]) as NamedObject & {
    readonly status: object;
  };
  return {
    ...recorded,
    status: {
      ...recorded.status,
      conditions: [{ type: 'Ready', status: 'True' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  } as NamedObject;
}
