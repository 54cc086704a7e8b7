import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import type { ApiAccess } from '../../src/cluster/connection.ts';
import { readKubeadmConfigMap } from '../../src/cluster/kubeadm-config-map.ts';
import { KubepkiError } from '../../src/errors/error.ts';
import { makeAuthority, type Authority, type Pair } from '../support/cluster/authority.ts';
import {
  always,
  kubeadmConfigMap,
  startClusterServer,
  type ClusterServer,
  type ServerWishes,
} from '../support/cluster/server.ts';
import { asRecorded } from '../support/cluster/server.ts';
import { recorded } from '../support/cluster/transcript.ts';
import { until } from '../support/deadline.ts';
import { judge } from '../support/judge.ts';
import { temporaryDirectory } from '../support/tree.ts';

const admin = '/O=system:masters/CN=kubernetes-admin';
const loopback = 'IP:127.0.0.1,DNS:localhost';
const never = new AbortController().signal;

interface Cluster {
  readonly authority: Authority;
  readonly server: ClusterServer;
  access(changes?: Partial<ApiAccess>): ApiAccess;
  known(by: Pair): ApiAccess;
}

async function cluster(
  t: TestContext,
  wishes: Partial<ServerWishes> & { readonly serve?: (authority: Authority) => Pair } = {},
): Promise<Cluster | undefined> {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const authority = makeAuthority(openssl, temporaryDirectory(t), 'kubernetes');
  const serving =
    wishes.serve?.(authority) ?? authority.issue({ subject: '/CN=kube-apiserver', names: loopback });
  const server = await startClusterServer({
    ca: authority.ca,
    serving,
    apis: [kubeadmConfigMap()],
    ...wishes,
  });
  t.after(() => server.stop());
  const access = (changes: Partial<ApiAccess> = {}): ApiAccess => ({
    server: new URL(`https://127.0.0.1:${String(server.port)}`),
    serverName: undefined,
    ca: authority.ca,
    credentials: { kind: 'certificate', ...authority.issue({ subject: admin }) },
    ...changes,
  });
  return {
    authority,
    server,
    access,
    known: (by) => access({ credentials: { kind: 'certificate', ...by } }),
  };
}

/** The sentence of a failure; nothing else may come of it. */
async function failure(access: ApiAccess, signal = never): Promise<string> {
  try {
    await readKubeadmConfigMap(access, signal);
  } catch (error) {
    assert.ok(error instanceof KubepkiError, String(error));
    assert.equal(error.code, 'cluster');
    return error.oneLine.replaceAll(/127\.0\.0\.1:\d+/g, 'HERE');
  }
  assert.fail('it was read');
}

describe('the ConfigMap kubeadm-config', () => {
  test('is read as it was recorded', async (t) => {
    const it = await cluster(t);
    if (it === undefined) return;
    const { body } = recorded('the kubeadm-config ConfigMap').response;
    const { data } = body as { data: Record<string, string> };
    assert.equal(await readKubeadmConfigMap(it.access(), never), data['ClusterConfiguration']);
    assert.deepEqual(
      it.server.seen.map(({ method, path, identity }) => [method, path, identity.username]),
      [['GET', '/api/v1/namespaces/kube-system/configmaps/kubeadm-config', 'kubernetes-admin']],
    );
    await closed(it.server);
  });

  test('by a name, by another name for its certificate, below a path', async (t) => {
    const it = await cluster(t, {
      serve: (authority) => authority.issue({ subject: '/CN=x', names: 'DNS:kubernetes,DNS:localhost' }),
    });
    if (it === undefined) return;
    const port = String(it.server.port);
    await readKubeadmConfigMap(it.access({ serverName: 'kubernetes' }), never);
    await readKubeadmConfigMap(it.access({ server: new URL(`https://localhost:${port}/`) }), never);
    const below = it.access({ server: new URL(`https://localhost:${port}/k8s/clusters/c-1`) });
    assert.match(await failure(below), /has no such thing \(404\)/);
    assert.deepEqual(
      it.server.seen.map(({ path }) => path.replace(/\/api\/.*/, '')),
      ['', '', '/k8s/clusters/c-1'],
    );
  });

  test('RBAC: the refusal that was recorded is said', async (t) => {
    const it = await cluster(t);
    if (it === undefined) return;
    const node = it.authority.issue({ subject: '/O=system:nodes/CN=system:node:control-plane-1' });
    assert.equal(
      await failure(it.known(node)),
      'the API server at https://HERE refused (403): configmaps "kubeadm-config" is forbidden: User "system:node:control-plane-1" ' +
        'cannot get resource "configmaps" in API group "" in the namespace "kube-system": no relationship found between node \'control-plane-1\' and this object',
    );
    await closed(it.server);
  });

  test('a certificate that has expired, or is of another CA', async (t) => {
    const it = await cluster(t);
    if (it === undefined) return;
    const unknown = 'the API server at https://HERE does not know the user of the kubeconfig (401)';
    assert.equal(await failure(it.known(it.authority.issue({ subject: admin, expired: true }))), unknown);
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const other = makeAuthority(openssl, temporaryDirectory(t), 'other');
    assert.equal(await failure(it.known(other.issue({ subject: admin }))), unknown);
  });

  test('a key that is none', async (t) => {
    const it = await cluster(t);
    if (it === undefined) return;
    const { certificate } = it.authority.issue({ subject: admin });
    const secret = 'AAAABBBBCCCC';
    const said = await failure(it.known({ certificate, key: Buffer.from(secret) }));
    assert.equal(said, 'the certificates or the key in the kubeconfig cannot be used');
    const { key } = it.authority.issue({ subject: admin });
    assert.equal(await failure(it.known({ certificate, key })), said);
    assert.deepEqual(it.server.seen, []);
  });

  const answers = [
    [
      404,
      asRecorded(recorded('a ConfigMap that does not exist')),
      /has no such thing \(404\): configmaps "kubeadm-confg" not found$/,
    ],
    [429, { status: 429, body: 'Too many requests' }, /has too much to do \(429\)$/],
    [
      500,
      { status: 500, body: { kind: 'Status', message: 'etcdserver: no leader' } },
      /answered 500: etcdserver: no leader$/,
    ],
    [503, { status: 503, body: 'not ready' }, /answered 503$/],
    [
      'a page',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      /did not answer as an API server does$/,
    ],
    ['half a document', { status: 200, body: '{"kind":' }, /did not answer as an API server does$/],
    ['null', { status: 200, body: 'null' }, /is not the ConfigMap kubeadm-config: it is not an object$/],
    [
      'a ConfigMap without data',
      { status: 200, body: { kind: 'ConfigMap' } },
      /has no ClusterConfiguration$/,
    ],
    [
      'data that is no text',
      { status: 200, body: { kind: 'ConfigMap', data: { ClusterConfiguration: [1] } } },
      /is not the ConfigMap kubeadm-config: data\.ClusterConfiguration is not a text$/,
    ],
    ['a list', { status: 200, body: [] }, /is not the ConfigMap kubeadm-config: it is not an object$/],
    [
      'another kind',
      { status: 200, body: { kind: 'Secret', data: {} } },
      /is not the ConfigMap kubeadm-config: kind is not ConfigMap$/,
    ],
    ['to plain HTTP elsewhere', { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' }, /./],
  ] as const;
  for (const [name, answer, expected] of answers) {
    test(`answered with ${String(name)}`, async (t) => {
      const it = await cluster(t, { apis: [always(answer)] });
      if (it === undefined) return;
      assert.match(await failure(it.access()), expected);
      await closed(it.server);
    });
  }

  const servers: readonly (readonly [string, (authority: Authority) => Pair, RegExp])[] = [
    [
      'has expired',
      (ca) => ca.issue({ subject: '/CN=x', names: loopback, expired: true }),
      /has a certificate that has expired$/,
    ],
    [
      'is for other names',
      (ca) => ca.issue({ subject: '/CN=x', names: 'IP:192.0.2.1' }),
      /has a certificate for other names$/,
    ],
  ];
  for (const [name, serve, expected] of servers) {
    test(`a server whose certificate ${name} is not asked`, async (t) => {
      const it = await cluster(t, { serve });
      if (it === undefined) return;
      assert.match(await failure(it.access()), expected);
      assert.deepEqual(it.server.seen, []);
    });
  }

  test('a server of another CA is not asked', async (t) => {
    const [it, other] = [await cluster(t), await cluster(t)];
    if (it === undefined || other === undefined) return;
    assert.match(
      await failure(it.access({ ca: other.authority.ca })),
      /of another CA than that of the kubeconfig$/,
    );
    assert.match(await failure(it.access({ ca: undefined })), /of another CA than that of the kubeconfig$/);
    assert.deepEqual(it.server.seen, []);
  });

  test('nobody there', async (t) => {
    const it = await cluster(t);
    if (it === undefined) return;
    const access = it.access();
    await it.server.stop();
    assert.equal(
      await failure(access),
      'the API server at https://HERE is not there: the connection was refused',
    );
  });

  test('cut off', async (t) => {
    const it = await cluster(t, { fault: 'reset' });
    if (it === undefined) return;
    assert.equal(await failure(it.access()), 'the API server at https://HERE broke the connection off');
  });

  test('something that knows no TLS', async (t) => {
    const it = await cluster(t);
    if (it === undefined) return;
    const ssh = createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9.2\r\n'));
    ssh.listen(0, '127.0.0.1');
    await once(ssh, 'listening');
    t.after(() => ssh.close());
    const { port } = ssh.address() as AddressInfo;
    assert.match(
      await failure(it.access({ server: new URL(`https://127.0.0.1:${String(port)}`) })),
      /does not get on with TLS|broke the connection off/,
    );
  });

  for (const fault of ['mute', 'hang', 'half'] as const) {
    test(`called off while the server is silent (${fault}), and nothing is left of it`, async (t) => {
      const it = await cluster(t, { fault });
      if (it === undefined) return;
      const bound = new AbortController();
      const said = failure(it.access(), bound.signal);
      await until(() => (fault === 'mute' ? it.server.open() : it.server.seen.length) || undefined, {
        deadlineMs: 20_000,
        otherwise: () => 'nobody came',
      });
      bound.abort();
      assert.equal(await said, 'the API server at https://HERE did not answer in time');
      await closed(it.server);
    });
  }

  test('called off before it began', async (t) => {
    const it = await cluster(t);
    if (it === undefined) return;
    assert.match(await failure(it.access(), AbortSignal.abort()), /did not answer in time$/);
    assert.equal(it.server.open(), 0);
  });
});

async function closed(server: ClusterServer): Promise<void> {
  await until(() => (server.open() === 0 ? true : undefined), {
    deadlineMs: 20_000,
    otherwise: () => 'a connection was left open',
  });
}
