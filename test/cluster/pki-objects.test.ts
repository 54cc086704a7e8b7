/** What is read of the objects by which the PKI of a cluster is judged: each reader is given a document, and no server. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Ask } from '../../src/cluster/api.ts';
import { expect } from '../../src/cluster/expected.ts';
import { ClusterFailure } from '../../src/cluster/failure.ts';
import {
  readClientCas,
  readClusterInfoText,
  readKubeletRequests,
  readNamespaces,
  readRoleBindings,
  readRootCas,
  readServingNodes,
  readTokenKeyIds,
} from '../../src/cluster/pki-objects.ts';
import { readApiServers } from '../../src/cluster/surroundings.ts';
import { recorded } from '../support/cluster/transcript.ts';

/** The same body for every question. */
function giving(body: unknown): Ask {
  return async ({ answer }) => {
    await Promise.resolve();
    return expect(body, answer);
  };
}

function listOf(kind: string, ...items: readonly unknown[]): object {
  return { kind, apiVersion: 'v1', metadata: { resourceVersion: '7' }, items };
}

test('a Node as it was recorded, and its kubelet at the port that Kubernetes has for it', async () => {
  const node = recorded('node object lookup').response.body;
  assert.deepEqual(await readServingNodes(giving(listOf('NodeList', node))), [
    {
      ...{ name: 'control-plane-1', isControlPlane: true, isReady: false },
      ...{ addresses: ['192.0.2.10'], kubeletPort: 10_250 },
    },
  ]);
});

test('of a Node only addresses inside the cluster that can be asked', async () => {
  const addresses = [
    { type: 'ExternalIP', address: '198.51.100.1' },
    { type: 'InternalIP', address: 'fe80::1%eth0' },
    { type: 'InternalIP', address: 'somewhere' },
    { type: 'InternalIP', address: '2001:db8::1' },
  ];
  const conditions = [{ type: 'Ready', status: 'True' }];
  const daemonEndpoints = { kubeletEndpoint: { Port: 10_255 } };
  const node = { metadata: { name: 'n' }, status: { addresses, conditions, daemonEndpoints } };
  assert.deepEqual(await readServingNodes(giving(listOf('NodeList', node, { metadata: { name: 'bare' } }))), [
    {
      ...{ name: 'n', isControlPlane: false, isReady: true },
      ...{ addresses: ['2001:db8::1'], kubeletPort: 10_255 },
    },
    { name: 'bare', isControlPlane: false, isReady: false, addresses: [], kubeletPort: 10_250 },
  ]);
});

test('requests of kubelets as they were recorded, and none of other signers', async () => {
  const found = await readKubeletRequests(giving(recorded('list all').response.body));
  assert.ok(found.length > 0);
  for (const { signerName, createdAt } of found) {
    assert.match(signerName, /^kubernetes\.io\/kube(?:let-serving|-apiserver-client-kubelet)$/);
    assert.ok(createdAt instanceof Date);
  }
});

test('what has been decided of a request; a denial counts more than an approval', async () => {
  const states = [[], ['Approved'], ['Approved', 'Denied'], ['Approved', 'Failed'], ['Another']].map(
    async (types) => {
      const request = {
        metadata: { name: 'csr', creationTimestamp: 'soon' },
        spec: { signerName: 'kubernetes.io/kubelet-serving' },
        status: { conditions: types.map((type) => ({ type, status: 'True' })) },
      };
      const [one] = await readKubeletRequests(giving(listOf('CertificateSigningRequestList', request)));
      assert.equal(one?.createdAt, undefined);
      return one?.state;
    },
  );
  assert.deepEqual(await Promise.all(states), ['pending', 'approved', 'refused', 'refused', 'pending']);
});

test('of all ConfigMaps those of that name alone', async () => {
  const of = (namespace: string, name: string, data?: object): object => ({
    metadata: { namespace, name },
    data,
  });
  const body = listOf(
    'ConfigMapList',
    ...[of('a', 'kube-root-ca.crt', { 'ca.crt': 'PEM', other: 1 }), of('a', 'other', { 'ca.crt': 'x' })],
    of('b', 'kube-root-ca.crt'),
  );
  assert.deepEqual(await readRootCas(giving(body)), [
    { namespace: 'a', pem: 'PEM' },
    { namespace: 'b', pem: undefined },
  ]);
});

test('namespaces, and which of them are ending', async () => {
  const creationTimestamp = '2026-11-29T00:00:00Z';
  const body = listOf(
    'NamespaceList',
    { metadata: { name: 'a', creationTimestamp } },
    { metadata: { name: 'b', creationTimestamp: null, deletionTimestamp: creationTimestamp } },
  );
  assert.deepEqual(await readNamespaces(giving(body)), [
    { name: 'a', createdAt: new Date(creationTimestamp), isEnding: false },
    { name: 'b', createdAt: undefined, isEnding: true },
  ]);
});

test('ConfigMaps that hold nothing', async () => {
  for (const data of [undefined, null, {}]) {
    const ask = giving({ kind: 'ConfigMap', data });
    assert.equal(await readClusterInfoText(ask), undefined);
    assert.deepEqual(await readClientCas(ask), { clientCas: undefined, requestHeaderCas: undefined });
  }
});

test('ClusterRoleBindings, also of nobody', async () => {
  const roleRef = { kind: 'ClusterRole', name: 'role' };
  const body = listOf(
    'ClusterRoleBindingList',
    { metadata: { name: 'a' }, roleRef, subjects: [{ kind: 'User', name: 'u', apiGroup: 'x' }] },
    { metadata: { name: 'b' }, roleRef },
  );
  assert.deepEqual(await readRoleBindings(giving(body)), [
    { name: 'a', role: 'role', subjects: [{ kind: 'User', name: 'u' }] },
    { name: 'b', role: 'role', subjects: [] },
  ]);
});

test('the ids of keys', async () => {
  assert.deepEqual(await readTokenKeyIds(giving({ keys: [{ kid: 'a', kty: 'RSA' }, { kid: 'b' }] })), [
    'a',
    'b',
  ]);
});

test('API servers by address and port, from EndpointSlices; one with a zone is nowhere', async () => {
  const slice = (addresses: readonly string[], ports: unknown): object => ({
    endpoints: [{ addresses }],
    ports,
  });
  const body = listOf(
    'EndpointSliceList',
    ...[slice(['192.0.2.1', 'fe80::1%eth0'], [{ port: 443 }]), slice([], [{ port: 1 }])],
    ...[slice(['2001:db8::1'], [{ port: 'https' }]), slice(['192.0.2.2'], null)],
  );
  assert.deepEqual(await readApiServers(giving(body)), [
    { host: '192.0.2.1', port: 443 },
    { host: '2001:db8::1', port: 6443 },
    { host: '192.0.2.2', port: 6443 },
  ]);
});

describe('an answer that is something else is refused, and nothing of it is quoted', () => {
  const secret = '-----BEGIN PRIVATE KEY-----';
  for (const [name, read, body] of [
    ['Nodes', readServingNodes, listOf('NodeList', { metadata: { name: 1 }, secret })],
    ['namespaces', readNamespaces, { kind: 'Other', items: [secret] }],
    ['root CAs', readRootCas, listOf('ConfigMapList', { metadata: { name: 'x' } }, secret)],
    ['cluster-info', readClusterInfoText, { kind: 'ConfigMap', data: { kubeconfig: [secret] } }],
    ['client CAs', readClientCas, { kind: 'ConfigMap', data: { 'client-ca-file': { secret } } }],
    ['requests', readKubeletRequests, { kind: 'CertificateSigningRequestList', items: secret }],
    ['bindings', readRoleBindings, listOf('ClusterRoleBindingList', { metadata: { name: secret } })],
    ['key ids', readTokenKeyIds, { keys: [{ kid: '' }] }],
  ] as const satisfies readonly (readonly [string, (ask: Ask) => Promise<unknown>, unknown])[])
    test(name, async () => {
      await assert.rejects(read(giving(body)), (error: unknown) => {
        assert.ok(error instanceof ClusterFailure);
        assert.ok(!`${error.message} ${error.hint ?? ''}`.includes('PRIVATE'));
        return true;
      });
    });
});
