import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import {
  type Asked,
  askedOf,
  type SigningRequest,
} from '../../../src/operations/kubelet-serving/signing-request.ts';
import { signingRequestTable } from '../../../src/render/requests/signing-requests.ts';
import { object, wanted } from '../../operations/kubelet-serving/sample.ts';
import { judge } from '../../support/judge.ts';
import { RequestMaker } from '../../support/certificates/serving-request.ts';
import { temporaryDirectory } from '../../support/tree.ts';

const now = new Date('2026-11-23T23:00:00Z');
const base: SigningRequest = { ...object, request: Buffer.alloc(0) };
const asked: Asked = { key: 'ECDSA P-256', names: ['DNS:node-1', 'IP:192.0.2.10'] };

/** Each with what k8s.io/kubernetes, pkg/printers/internalversion makes of it. */
const objects: readonly (readonly [SigningRequest, cells: readonly string[]])[] = [
  [base, ['csr-9wvgt', '84m', 'kubernetes.io/kubelet-serving', 'system:node:node-1', '<none>', 'Pending']],
  [
    {
      ...base,
      name: 'controller-manager-1',
      createdAt: new Date('2026-11-23T22:59:15Z'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      username: 'kubernetes-admin',
      expirationSeconds: 31_536_000,
      conditions: ['Approved'],
      issued: true,
    },
    [
      ...['controller-manager-1', '45s', 'kubernetes.io/kube-apiserver-client', 'kubernetes-admin'],
      ...['365d', 'Approved,Issued'],
    ],
  ],
  [
    { ...base, name: 'd', createdAt: undefined, signerName: '', conditions: ['Approved', 'Denied'] },
    ['d', '<unknown>', '<none>', 'system:node:node-1', '<none>', 'Denied'],
  ],
  [
    { ...base, name: 'f', createdAt: new Date('2026-11-24T23:00:00Z'), conditions: ['Approved', 'Failed'] },
    ['f', '<invalid>', 'kubernetes.io/kubelet-serving', 'system:node:node-1', '<none>', 'Approved,Failed'],
  ],
  [
    { ...base, name: 'p', expirationSeconds: 600, conditions: ['Failed'] },
    ['p', '84m', 'kubernetes.io/kubelet-serving', 'system:node:node-1', '10m', 'Pending,Failed'],
  ],
];

test("the list's first columns are kubectl's, byte for byte", async (t) => {
  const kubectl = judge(t, 'kubectl');
  if (kubectl === undefined) return;
  const server = createServer(answer).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const home = temporaryDirectory(t);
  const { stdout } = await promisify(execFile)(
    kubectl,
    ['get', 'csr', '--server', `http://127.0.0.1:${String(port)}`, '--cache-dir', home],
    { env: { PATH: process.env['PATH'], HOME: home } },
  );
  const theirs = stdout.trimEnd().split('\n');
  const ours = signingRequestTable(
    objects.map(([one]) => ({ object: one, asked })),
    now,
  )
    .trimEnd()
    .split('\n');
  assert.equal(theirs.length, objects.length + 1);
  const width = ours[0]?.indexOf('KEY');
  assert.deepEqual(
    ours.map((line) => line.slice(0, width).trimEnd()),
    theirs.map((line) => line.trimEnd()),
  );
  for (const line of ours.slice(1)) assert.equal(line.slice(width), 'ECDSA P-256   DNS:node-1,IP:192.0.2.10');
});

/** Just enough of an API server for `kubectl get csr`: tables are the server's to fill, and kubectl's to draw. */
function answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
  const group = { groupVersion: 'certificates.k8s.io/v1', version: 'v1' };
  const bodies: Readonly<Record<string, unknown>> = {
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [] },
    '/apis': {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: [{ name: 'certificates.k8s.io', versions: [group], preferredVersion: group }],
    },
    '/apis/certificates.k8s.io/v1': {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: group.groupVersion,
      resources: [
        {
          name: 'certificatesigningrequests',
          singularName: 'certificatesigningrequest',
          namespaced: false,
          kind: 'CertificateSigningRequest',
          verbs: ['get', 'list'],
          shortNames: ['csr'],
        },
      ],
    },
    '/apis/certificates.k8s.io/v1/certificatesigningrequests': {
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: {},
      columnDefinitions: ['Name', 'Age', 'SignerName', 'Requestor', 'RequestedDuration', 'Condition'].map(
        (name) => ({ name, type: 'string', format: '', description: '', priority: 0 }),
      ),
      rows: objects.map(([{ name }, cells]) => ({
        cells,
        object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name } },
      })),
    },
  };
  const body = bodies[url.replace(/\?.*/, '')];
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body ?? { kind: 'Status', status: 'Failure', code: 404 }));
}

test('what a request asks for is shown, readable or not', (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const maker = new RequestMaker(openssl, temporaryDirectory(t));
  const shown = (changes: Partial<typeof wanted>): readonly string[] => {
    const request = { ...base, request: maker.make({ ...wanted, ...changes }) };
    const table = signingRequestTable([{ object: request, asked: askedOf(request) }], now);
    return (table.split('\n')[1] ?? '').split(/ {2,}/).slice(6);
  };
  assert.deepEqual(shown({}), [
    'ECDSA P-256',
    'DNS:node-1,DNS:node-1.example.internal,IP:192.0.2.10,IP:2001:db8::10,IP:203.0.113.10',
  ]);
  assert.deepEqual(shown({ names: [], key: 'RSA-2048' }), ['RSA 2048', '<none>']);
  assert.deepEqual(shown({ names: ['email:a@b', 'URI:x:y'], key: 'Ed25519' }), [
    'Ed25519',
    'email:a@b,URI:x:y',
  ]);
  const many = Array.from({ length: 12 }, (_, index) => `DNS:n${String(index)}`);
  assert.deepEqual(shown({ names: many }), ['ECDSA P-256', `${many.slice(0, 10).join(',')} + 2 more...`]);

  const unreadable = { ...base, request: Buffer.from('what is this') };
  const [, line = ''] = signingRequestTable([{ object: unreadable, asked: askedOf(unreadable) }], now).split(
    '\n',
  );
  assert.match(line, / Pending +<invalid> +<invalid>$/);
});

test('what the requestor writes draws nothing on the terminal', () => {
  const hostile = { ...base, username: 'a\u001b[2Jb\nc' };
  const table = signingRequestTable([{ object: hostile, asked: { key: 'k', names: ['DNS:\u0007\n'] } }], now);
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(table, /[\u0000-\u0009\u000b-\u001f]/);
  assert.equal(table.split('\n').length, 3);
});

test('with no requests, the head alone', () => {
  assert.match(signingRequestTable([], now), /^NAME {3}AGE {3}SIGNERNAME {3}REQUESTOR .* REQUESTED NAMES\n$/);
});
