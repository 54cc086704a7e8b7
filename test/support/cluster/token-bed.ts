import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { kubepkiInProcess } from '../in-process.ts';
import { judge } from '../judge.ts';
import type { Outcome } from '../kubepki.ts';
import { edit, verifiedNode } from '../planners/verified-node.ts';
import { temporaryDirectory, type Tree } from '../tree.ts';
import { nodeOfCluster } from './node.ts';
import { node, objectsApi, type NamedObject } from './objects-api.ts';
import { keySet } from './key-set.ts';
import { forbidden, isAdmin } from './rbac.ts';
import type { Api, ClusterServer } from './server.ts';
import { slicesPath } from './serving-bed.ts';

/** A Secret of the type kubernetes.io/service-account-token. */
export interface KeptToken {
  readonly name: string;
  readonly token: string;
}

/** A control plane whose API server has read the keys of tokens when it started, and reads them again only when it starts anew. */
export interface TokenNode {
  readonly name: string;
  /** Its address, of which each node has another. */
  readonly host: string;
  readonly tree: Tree;
  readonly server: ClusterServer;
  /** `kubepki …` on this node. */
  run(...args: readonly string[]): Promise<Outcome>;
  /** Starts kube-apiserver anew, and where it is said kube-controller-manager after it. */
  restart(more?: 'kube-controller-manager'): void;
  /** A token that this API server signs. */
  issue(): string;
  /** Whether this API server takes a token for good: openssl's word on the signature, by each key that was read. */
  takes(token: string): boolean;
  /** What its metrics say; a test changes it. */
  staleTokens: number;
  startedAt: Date;
  controllerManagerStartedAt: Date;
}

export interface TokenBed {
  readonly nodes: readonly [TokenNode, ...TokenNode[]];
  readonly secrets: KeptToken[];
  readonly openssl: string;
}

/** Nodes that have one PKI, each with an API server. @returns undefined: there is no openssl, and the test is skipped */
export async function tokenBed(t: TestContext, count = 1): Promise<TokenBed | undefined> {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const secrets: KeptToken[] = [];
  const nodes: TokenNode[] = [];
  for (let index = 1; index <= count; index += 1) {
    nodes.push(await tokenNode(t, { name: `cp-${String(index)}`, openssl, nodes, secrets }));
  }
  const [first, ...others] = nodes;
  if (first === undefined) throw new Error('a cluster without a node');
  return { nodes: [first, ...others], secrets, openssl };
}

interface Wishes {
  readonly name: string;
  readonly openssl: string;
  /** All of the cluster, as it will be. */
  readonly nodes: readonly TokenNode[];
  readonly secrets: readonly KeptToken[];
}

async function tokenNode(t: TestContext, { name, openssl, nodes, secrets }: Wishes): Promise<TokenNode> {
  const host = `127.0.0.${String(nodes.length + 1)}`;
  const tree = verifiedNode(t);
  const scratch = temporaryDirectory(t);
  let loaded = read(tree);
  const apis: Api[] = [
    (asked) => {
      const own = ['/openid/v1/jwks', '/metrics', tokenPath].includes(asked.path);
      return own && !isAdmin(asked.identity)
        ? forbidden(asked, { group: '', resource: asked.path, name: undefined })
        : undefined;
    },
    ({ path, accept }) =>
      path === '/openid/v1/jwks'
        ? keySet(accept, () =>
            loaded.known.map((key) => ({ use: 'sig', kid: keyIdOf(key), ...key.export({ format: 'jwk' }) })),
          )
        : undefined,
    ({ path, method, body }) =>
      path === tokenPath && method === 'POST'
        ? { status: 201, body: { ...(body as object), status: { token: self.issue() } } }
        : undefined,
    ({ path }) =>
      path === '/metrics'
        ? { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4' }, body: metricsOf(self) }
        : undefined,
    (asked) => objectsApi(listsOf(nodes, secrets))(asked),
  ];
  const { server } = await nodeOfCluster(t, { tree, host, apis: () => apis });
  // Every admin.conf leads to the first of them, whose address is in the certificates.
  const [first] = nodes;
  if (first !== undefined) {
    edit(tree, 'etc/kubernetes/admin.conf', (text) =>
      text.replace(/server: .*/, `server: https://127.0.0.1:${String(first.server.port)}`),
    );
  }
  const dayAgo = new Date(Date.now() - 30 * 3600 * 1000);
  const self: TokenNode = {
    ...{ name, host, tree, server, staleTokens: 0, startedAt: dayAgo, controllerManagerStartedAt: dayAgo },
    run: (...args) => kubepkiInProcess([...args, '--rootfs', tree.directory]),
    restart: (more) => {
      loaded = read(tree);
      self.startedAt = new Date();
      if (more !== undefined) self.controllerManagerStartedAt = new Date();
    },
    issue: () => tokenOf(loaded.signing),
    takes: (token) => loaded.known.some((key) => isSignedBy(openssl, scratch, token, key)),
  };
  return self;
}

const tokenPath = '/api/v1/namespaces/default/serviceaccounts/default/token';

interface Loaded {
  readonly signing: KeyObject;
  readonly known: readonly KeyObject[];
}

function read({ certDir }: Tree): Loaded {
  const blocks =
    readFileSync(join(certDir, 'sa.pub'), 'utf8').match(/-----BEGIN[^]*?-----END [A-Z ]+-----/g) ?? [];
  return {
    signing: createPrivateKey(readFileSync(join(certDir, 'sa.key'))),
    known: blocks.map((pem) => createPublicKey(pem)),
  };
}

/** As Kubernetes documents it (Service Account Issuer Discovery): the SHA-256 of the key, in base64url. */
export function keyIdOf(key: KeyObject): string {
  const info = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(info).digest('base64url');
}

/** A JSON Web Signature, as an API server signs one. */
export function tokenOf(key: KeyObject): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'RS256', kid: keyIdOf(key) })}.${part({ iss: 'https://kubernetes.default.svc.cluster.local' })}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

function isSignedBy(openssl: string, directory: string, token: string, key: KeyObject): boolean {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const path = (name: string): string => join(directory, name);
  writeFileSync(path('data'), `${header}.${payload}`);
  writeFileSync(path('signature'), Buffer.from(signature, 'base64url'));
  writeFileSync(path('key.pub'), key.export({ format: 'pem', type: 'spki' }));
  try {
    execFileSync(
      openssl,
      ['dgst', '-sha256', '-verify', path('key.pub'), '-signature', path('signature'), path('data')],
      {
        stdio: 'ignore',
      },
    );
    return true;
  } catch {
    return false;
  }
}

/** As kube-apiserver writes them, among some thousand others. */
function metricsOf({ staleTokens, startedAt }: TokenNode): string {
  return [
    '# HELP process_start_time_seconds [ALPHA] Start time of the process since unix epoch in seconds.',
    '# TYPE process_start_time_seconds gauge',
    `process_start_time_seconds ${(startedAt.getTime() / 1000).toExponential()}`,
    '# HELP serviceaccount_stale_tokens_total [ALPHA] Cumulative stale projected service account tokens used',
    '# TYPE serviceaccount_stale_tokens_total counter',
    `serviceaccount_stale_tokens_total ${String(staleTokens)}`,
    '',
  ].join('\n');
}

function listsOf(
  nodes: readonly TokenNode[],
  secrets: readonly KeptToken[],
): Parameters<typeof objectsApi>[0] {
  return {
    '/api/v1/nodes': {
      kind: 'Node',
      items: nodes.map(({ name, host }) => node(name, [{ type: 'InternalIP', address: host }])),
    },
    [slicesPath]: {
      kind: 'EndpointSlice',
      items: nodes.map(
        ({ name, host, server: { port } }) =>
          ({
            metadata: { namespace: 'default', name },
            addressType: 'IPv4',
            endpoints: [{ addresses: [host], conditions: { ready: true } }],
            ports: [{ name: 'https', port, protocol: 'TCP' }],
          }) as NamedObject,
      ),
    },
    '/api/v1/secrets': {
      kind: 'Secret',
      items: [
        {
          metadata: { namespace: 'default', name: 'another' },
          type: 'Opaque',
          data: { token: 'AAAA' },
        } as NamedObject,
        ...secrets.map(
          ({ name, token }) =>
            ({
              metadata: { namespace: 'default', name },
              type: 'kubernetes.io/service-account-token',
              data: { token: Buffer.from(token).toString('base64') },
            }) as NamedObject,
        ),
      ],
    },
    '/api/v1/namespaces/kube-system/pods': {
      kind: 'Pod',
      items: nodes.flatMap((one) => [
        podOf('kube-apiserver', one, one.startedAt),
        podOf('kube-controller-manager', one, one.controllerManagerStartedAt),
      ]),
    },
  };
}

function podOf(component: string, { name: nodeName, host }: TokenNode, startedAt: Date): NamedObject {
  return {
    metadata: {
      namespace: 'kube-system',
      name: `${component}-${nodeName}`,
      labels: { component, tier: 'control-plane' },
    },
    spec: { nodeName },
    status: {
      hostIP: host,
      containerStatuses: [{ name: component, state: { running: { startedAt: startedAt.toISOString() } } }],
    },
  } as NamedObject;
}
