import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { IncomingMessage } from 'node:http';
import { judge } from '../judge.ts';
import { temporaryDirectory } from '../tree.ts';
import { makeAuthority, type Pair } from './authority.ts';
import { csrApi, csrPath } from './csr-api.ts';
import { node, objectsApi } from './objects-api.ts';
import { kubeadmConfigMap, startClusterServer, type Answer } from './server.ts';
import { transcript, type Recorded } from './transcript.ts';

const admin = '/O=system:masters/CN=kubernetes-admin';
const kubelet = '/O=system:nodes/CN=system:node:control-plane-1';

test('every exchange of the transcript is answered as it was recorded', async (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const scratch = temporaryDirectory(t);
  const authority = makeAuthority(openssl, scratch, 'kubernetes');
  const certificates = csrApi({ openssl, ca: authority.files, scratch });
  const addresses = [
    { type: 'InternalIP', address: '192.0.2.10' },
    { type: 'Hostname', address: 'control-plane-1' },
  ];
  const nodes = { kind: 'Node', items: [node('control-plane-1', addresses)] };
  const server = await startClusterServer({
    ca: authority.ca,
    serving: authority.issue({ subject: '/CN=kube-apiserver', names: 'IP:127.0.0.1' }),
    apis: [
      kubeadmConfigMap(),
      certificates.api,
      objectsApi({ '/api/v1/nodes': nodes, '/api/v1/namespaces/kube-system/configmaps': noConfigMaps }),
    ],
  });
  t.after(() => server.stop());
  const identities = {
    admin: authority.issue({ subject: admin }),
    node: authority.issue({ subject: kubelet }),
  };
  for (const exchange of transcript) {
    const by = madeByKubelet(exchange) ? identities.node : identities.admin;
    const answer = await ask(server.port, authority.ca, by, exchange, certificates.kept());
    assert.equal(answer.status, exchange.response.status, exchange.note);
    assert.deepEqual(
      comparable(openssl, answer.body),
      comparable(openssl, exchange.response.body),
      exchange.note,
    );
  }
  assert.equal(server.seen.length, 28);
});

test('lists of other objects: whole for an admin, refused to a kubelet', async (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const authority = makeAuthority(openssl, temporaryDirectory(t), 'kubernetes');
  const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
  const server = await startClusterServer({
    ca: authority.ca,
    serving: authority.issue({ subject: '/CN=kube-apiserver', names: 'IP:127.0.0.1' }),
    apis: [
      objectsApi({ [slices]: { kind: 'EndpointSlice', items: [{ metadata: { name: 'kubernetes' } }] } }),
    ],
  });
  t.after(() => server.stop());
  const read = (subject: string, path: string): Promise<Answer> =>
    ask(server.port, authority.ca, authority.issue({ subject }), readOf(path), []);
  assert.deepEqual(await read(admin, slices), {
    status: 200,
    body: {
      kind: 'EndpointSliceList',
      apiVersion: 'discovery.k8s.io/v1',
      metadata: { resourceVersion: '301' },
      items: [{ metadata: { name: 'kubernetes' } }],
    },
  });
  assert.equal((await read(admin, `${slices}/kubernetes`)).status, 200);
  assert.equal((await read(admin, `${slices}/other`)).status, 404);
  const { status, body } = await read(kubelet, slices);
  assert.equal(status, 403);
  assert.equal(
    (body as { readonly message: string }).message,
    'endpointslices.discovery.k8s.io is forbidden: User "system:node:control-plane-1" cannot list resource "endpointslices" ' +
      'in API group "discovery.k8s.io" in the namespace "default"',
  );
});

function readOf(path: string): Pick<Recorded, 'request'> {
  return { request: { method: 'GET', path } };
}

const noConfigMaps = { kind: 'ConfigMap', items: [] };

/** The transcript tells who asked only by what came of it. */
function madeByKubelet({ note, request, response }: Recorded): boolean {
  if (note === 'a user without rights reads the ConfigMap') return true;
  const { spec } = response.body as { readonly spec?: { readonly username?: string } };
  return request.method === 'POST' && spec?.username === 'system:node:control-plane-1';
}

/** As it was recorded, but for the version of what is changed. */
async function ask(
  port: number,
  ca: Buffer,
  { certificate, key }: Pair,
  { request: { method, path, body } }: Pick<Recorded, 'request'>,
  kept: readonly { readonly metadata: { readonly name: string; readonly resourceVersion: string } }[],
): Promise<Answer> {
  const name = path.slice(csrPath.length + 1).split('/')[0];
  const resourceVersion = kept.find(({ metadata }) => metadata.name === name)?.metadata.resourceVersion;
  const sent =
    method === 'PUT' && typeof body === 'object' && body !== null && 'metadata' in body
      ? { ...body, metadata: { ...(body.metadata as object), resourceVersion } }
      : body;
  const request = httpsRequest({ host: '127.0.0.1', port, method, path, ca, cert: certificate, key });
  request.end(sent === undefined ? undefined : JSON.stringify(sent));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: JSON.parse(await text(response)) as unknown };
}

/** What has to be the same: an object without its uid, versions and times, and of a certificate what it says. */
function comparable(openssl: string, value: unknown, key = ''): unknown {
  const different = [
    'uid',
    'resourceVersion',
    'creationTimestamp',
    'time',
    'lastUpdateTime',
    'lastTransitionTime',
  ];
  if (different.includes(key)) return typeof value;
  if (key === 'certificate') return described(openssl, Buffer.from(String(value), 'base64'));
  if (Array.isArray(value)) return value.map((one) => comparable(openssl, one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, comparable(openssl, one, name)]),
  );
}

/** Of a certificate what a signer does not choose: not its serial number, its dates and its CA's key. */
function described(openssl: string, pem: Buffer): string {
  return execFileSync(openssl, ['x509', '-noout', '-subject', '-issuer', '-pubkey', '-ext', extensions], {
    input: pem,
    encoding: 'utf8',
  });
}

const extensions = 'keyUsage,extendedKeyUsage,basicConstraints,subjectAltName';
