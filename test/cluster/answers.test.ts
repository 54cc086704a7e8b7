/** What an answer has to be: each reader is given a document, and no server. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as z from 'zod';
import type { ApiRequest, Ask } from '../../src/cluster/api.ts';
import { ClusterFailure, statusIn } from '../../src/cluster/failure.ts';
import { expect } from '../../src/cluster/expected.ts';
import { readClusterConfiguration } from '../../src/cluster/kubeadm-config-map.ts';
import {
  putDecision,
  readRequest,
  type RequestObject,
  readRequestNames,
} from '../../src/cluster/request-object.ts';
import { readKubernetesEndpoints, readNodes, readServices } from '../../src/cluster/surroundings.ts';
import { recorded } from '../support/cluster/transcript.ts';

/** Answers each request with what stands under its path, and keeps what was asked. */
function answering(bodies: Readonly<Record<string, unknown>>): {
  readonly ask: Ask;
  readonly asked: Omit<ApiRequest<unknown>, 'answer'>[];
} {
  const asked: Omit<ApiRequest<unknown>, 'answer'>[] = [];
  return {
    asked,
    ask: async ({ answer, ...request }) => {
      asked.push(request);
      await Promise.resolve();
      return expect(bodies[request.path], answer);
    },
  };
}

/** What is said of an answer that is refused, after "the API server's answer is not". */
async function refusal(outcome: Promise<unknown>): Promise<string> {
  const error: unknown = await outcome.then(
    (value) => assert.fail(`it was believed: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ClusterFailure, String(error));
  assert.equal(error.retryable, false);
  assert.match(error.hint ?? '', /something else may answer in its place/);
  assert.match(error.message, /^the API server's answer is not /);
  return error.message.replace("the API server's answer is not ", '');
}

const nodes = '/api/v1/nodes';
const services = '/api/v1/services';
const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
const endpoints = '/api/v1/namespaces/default/endpoints/kubernetes';
const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const configMap = '/api/v1/namespaces/kube-system/configmaps/kubeadm-config';

function listOf(kind: string, ...items: readonly unknown[]): object {
  return { kind, apiVersion: 'v1', metadata: { resourceVersion: '7' }, items };
}

describe('Nodes', () => {
  const read = (body: unknown): ReturnType<typeof readNodes> => readNodes(answering({ [nodes]: body }).ask);

  test('as one was recorded, whatever else is in it', async () => {
    const node = recorded('node object lookup').response.body as {
      readonly metadata: { readonly name: string };
      readonly status: { readonly addresses: readonly object[] };
    };
    assert.deepEqual(await read(listOf('NodeList', node)), [
      { name: node.metadata.name, addresses: node.status.addresses },
    ]);
  });

  test('what Go leaves out, or writes as null, is empty', async () => {
    const named = { metadata: { name: 'n' } };
    for (const item of [named, { ...named, status: {} }, { ...named, status: { addresses: null } }]) {
      assert.deepEqual(await read(listOf('NodeList', item)), [{ name: 'n', addresses: [] }]);
    }
  });

  const the = 'the NodeList that was asked for';
  const wrong: readonly (readonly [unknown, string])[] = [
    [undefined, `${the}: it is missing`],
    [null, `${the}: it is not an object`],
    ['text', `${the}: it is not an object`],
    [listOf('PodList'), `${the}: kind is not NodeList`],
    [{ kind: 'NodeList' }, `${the}: items is missing`],
    [{ kind: 'NodeList', items: null }, `${the}: items is not a list`],
    [{ kind: 'NodeList', items: 'none' }, `${the}: items is not a list`],
    [{ kind: 'NodeList', metadata: { continue: 1 }, items: [] }, `${the}: metadata.continue is not a text`],
    [listOf('NodeList', { metadata: { name: 'n' } }, {}), `${the}: items.1.metadata is missing`],
    [listOf('NodeList', { metadata: { name: '' } }), `${the}: items.0.metadata.name is empty`],
    [
      listOf('NodeList', {
        metadata: { name: 'n' },
        status: { addresses: [{ type: 'InternalIP', address: 1 }] },
      }),
      `${the}: items.0.status.addresses.0.address is not a text`,
    ],
  ];
  for (const [body, said] of wrong) {
    test(said, async () => {
      assert.equal(await refusal(read(body)), said);
    });
  }
});

test('of a list that is all wrong only the first item is told, and the others are not looked at', async () => {
  const items = Array.from({ length: 100_000 }, () => 1);
  const error: unknown = await readNodes(answering({ [nodes]: listOf('NodeList', ...items) }).ask).catch(
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ClusterFailure && error.cause instanceof z.ZodError);
  assert.deepEqual(
    error.cause.issues.map(({ path, message }) => [path.join('.'), message]),
    [['items.0', 'is not an object']],
  );
});

describe('Services', () => {
  const read = (...items: readonly unknown[]): ReturnType<typeof readServices> =>
    readServices(answering({ [services]: listOf('ServiceList', ...items) }).ask);
  const metadata = { namespace: 'a', name: 'b' };

  test('every address of one', async () => {
    const [found] = await read({
      metadata,
      spec: {
        clusterIP: '10.96.0.1',
        clusterIPs: ['10.96.0.1', 'fd00::1'],
        externalIPs: ['192.0.2.1'],
        loadBalancerIP: '192.0.2.2',
        ports: [{ port: 443 }],
      },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.3', ipMode: 'VIP' }, { hostname: 'lb.example' }] } },
    });
    assert.deepEqual(found, {
      ...metadata,
      clusterIPs: ['10.96.0.1', '10.96.0.1', 'fd00::1'],
      externalIPs: ['192.0.2.1'],
      loadBalancers: ['192.0.2.2', '192.0.2.3', 'lb.example'],
    });
  });

  test('none at all, and none of a headless one', async () => {
    const empty = { ...metadata, clusterIPs: [], externalIPs: [], loadBalancers: [] };
    assert.deepEqual(
      await read(
        { metadata },
        { metadata, spec: { clusterIP: '', clusterIPs: null }, status: { loadBalancer: {} } },
        { metadata, spec: { clusterIPs: ['None'] } },
      ),
      [empty, empty, { ...empty, clusterIPs: ['None'] }],
    );
  });

  const the = 'the ServiceList that was asked for: items.0.';
  const wrong: readonly (readonly [object, string])[] = [
    [{ metadata: { name: 'b' } }, 'metadata.namespace is missing'],
    [{ metadata, spec: { clusterIPs: '10.96.0.1' } }, 'spec.clusterIPs is not a list'],
    [{ metadata, spec: { clusterIPs: ['10.96.0'] } }, 'spec.clusterIPs.0 is not an address'],
    [{ metadata, spec: { externalIPs: ['example.com'] } }, 'spec.externalIPs.0 is not an address'],
    [{ metadata, spec: { loadBalancerIP: 7 } }, 'spec.loadBalancerIP is not a text'],
    [
      { metadata, status: { loadBalancer: { ingress: [{ ip: [] }] } } },
      'status.loadBalancer.ingress.0.ip is not a text',
    ],
  ];
  for (const [item, said] of wrong) {
    test(said, async () => {
      assert.equal(await refusal(read(item)), the + said);
    });
  }
});

describe("the API servers' addresses", () => {
  const none = listOf('EndpointSliceList');

  test('are in the EndpointSlices of that Service', async () => {
    const { ask, asked } = answering({
      [slices]: listOf(
        'EndpointSliceList',
        { endpoints: [{ addresses: ['192.0.2.1'] }, { addresses: ['192.0.2.2'] }] },
        { endpoints: null },
      ),
    });
    assert.deepEqual(await readKubernetesEndpoints(ask), ['192.0.2.1', '192.0.2.2']);
    assert.deepEqual(
      asked.map(({ query }) => query),
      [{ labelSelector: 'kubernetes.io/service-name=kubernetes', limit: '100' }],
    );
  });

  test('or in the Endpoints, those that are not ready too', async () => {
    const { ask } = answering({
      [slices]: none,
      [endpoints]: {
        kind: 'Endpoints',
        metadata: { name: 'kubernetes' },
        subsets: [
          { addresses: [{ ip: '192.0.2.1', hostname: 'one' }], notReadyAddresses: [{ ip: '192.0.2.2' }] },
        ],
      },
    });
    assert.deepEqual(await readKubernetesEndpoints(ask), ['192.0.2.1', 'one', '192.0.2.2']);
  });

  const wrong: readonly (readonly [unknown, unknown, string])[] = [
    [
      listOf('EndpointSliceList', { endpoints: [{ addresses: [null] }] }),
      undefined,
      'the EndpointSliceList that was asked for: items.0.endpoints.0.addresses.0 is not a text',
    ],
    [
      none,
      { kind: 'Endpoints', metadata: { name: 'other' } },
      'the Endpoints kubernetes: metadata.name is not kubernetes',
    ],
    [
      none,
      { kind: 'Endpoints', metadata: { name: 'kubernetes' }, subsets: [{ addresses: [{}] }] },
      'the Endpoints kubernetes: subsets.0.addresses.0.ip is missing',
    ],
  ];
  for (const [list, object, said] of wrong) {
    test(said, async () => {
      const { ask } = answering({ [slices]: list, [endpoints]: object });
      assert.equal(await refusal(readKubernetesEndpoints(ask)), said);
    });
  }
});

describe('names of requests', () => {
  const columnDefinitions = [{ name: 'Age' }, { name: 'Name', type: 'string' }];
  const table = { kind: 'Table', metadata: {}, columnDefinitions, rows: [] };
  const read = (body: unknown): ReturnType<typeof readRequestNames> =>
    readRequestNames(answering({ [requests]: body }).ask);

  test('stand in the column of that name', async () => {
    const rows = [{ cells: ['1s', 'csr-1'], object: null }, { cells: [7, 'csr-2'] }];
    assert.deepEqual(await read({ ...table, rows }), ['csr-1', 'csr-2']);
    assert.deepEqual(await read({ ...table, rows: null }), []);
  });

  const the = 'the Table that was asked for: ';
  const wrong: readonly (readonly [object, string])[] = [
    [listOf('CertificateSigningRequestList'), 'kind is not Table'],
    [{ ...table, rows: [{ cells: ['1s', 'a'] }, { cells: ['1s', ''] }] }, 'rows.1 has no name'],
    [{ ...table, rows: [{ cells: ['1s'] }] }, 'rows.0 has no name'],
    [{ ...table, columnDefinitions: [], rows: [{ cells: ['a'] }] }, 'rows.0 has no name'],
    [{ ...table, rows: [{}] }, 'rows.0.cells is missing'],
  ];
  for (const [body, said] of wrong) {
    test(said, async () => {
      assert.equal(await refusal(read(body)), the + said);
    });
  }
});

describe('a CertificateSigningRequest', () => {
  const body = recorded('create: pending').response.body as {
    readonly metadata: { readonly name: string; readonly uid: string; readonly creationTimestamp: string };
    readonly spec: {
      readonly request: string;
      readonly signerName: string;
      readonly username: string;
      readonly groups: readonly string[];
      readonly usages: readonly string[];
    };
  };
  const { name, uid, creationTimestamp } = body.metadata;
  const path = `${requests}/${name}`;
  const approval = `${path}/approval`;
  const read = (changed: unknown): ReturnType<typeof readRequest> =>
    readRequest(answering({ [path]: changed }).ask, name);
  const found = async (changed: unknown): Promise<RequestObject> => {
    const object = await read(changed);
    assert.ok(object !== undefined);
    return object;
  };

  test('as it was recorded', async () => {
    const { kept, spec, ...object } = await found(body);
    assert.deepEqual(object, {
      name,
      uid,
      createdAt: new Date(creationTimestamp),
      conditions: [],
      certificate: undefined,
    });
    const { request, ...others } = body.spec;
    assert.deepEqual(spec, {
      ...others,
      request: Buffer.from(request, 'base64'),
      expirationSeconds: undefined,
    });
    assert.deepEqual(kept, body);
  });

  test('when it was made may be unknown', async () => {
    for (const unknown of [undefined, null, 7, 'yesterday']) {
      const metadata = { ...body.metadata, creationTimestamp: unknown };
      assert.equal((await found({ ...body, metadata })).createdAt, undefined);
    }
  });

  test('is sent back with its decision, and with what is not known here', async () => {
    const other = { type: 'Later', status: 'Unknown', lastUpdateTime: '2026-01-01T00:00:00Z', since: 1 };
    const later = {
      ...body,
      metadata: { ...body.metadata, fromLater: { a: [1] } },
      spec: { ...body.spec, fromLater: true },
      status: { conditions: [other], fromLater: null },
      fromLater: 'x',
    };
    const decision = { type: 'Approved', reason: 'Because', message: 'of it' } as const;
    const conditions = [other, { type: 'Approved', status: 'True', reason: 'Because', message: 'of it' }];
    const approved = { ...later, status: { ...later.status, conditions } };
    const { ask, asked } = answering({ [approval]: approved });
    await putDecision(ask, await found(later), decision);
    assert.deepEqual(asked, [{ method: 'PUT', path: approval, body: approved }]);
  });

  test('has to be the one that was decided about, and decided', async () => {
    const status = { conditions: [{ type: 'Denied', status: 'True' }] };
    const denial = { type: 'Denied', reason: 'r', message: 'm' } as const;
    for (const answer of [
      body,
      { ...body, status, metadata: { ...body.metadata, uid: 'another' } },
      { ...body, status: { conditions: [{ type: 'Approved', status: 'True' }] } },
    ]) {
      await assert.rejects(
        putDecision(answering({ [approval]: answer }).ask, await found(body), denial),
        new RegExp(`took the decision about ${name}, and it is not denied$`),
      );
    }
    await putDecision(answering({ [approval]: { ...body, status } }).ask, await found(body), denial);
  });

  test('its name is encoded in the path', async () => {
    const { ask, asked } = answering({});
    await refusal(readRequest(ask, 'a/../b?c#d'));
    assert.deepEqual(asked, [{ path: `${requests}/a%2F..%2Fb%3Fc%23d` }]);
  });

  const spec = (changes: object): object => ({ ...body, spec: { ...body.spec, ...changes } });
  const status = (changes: object): object => ({ ...body, status: changes });
  const wrong: readonly (readonly [object, string])[] = [
    [{ ...body, metadata: { ...body.metadata, name: 'x' } }, 'metadata.name is another'],
    [{ ...body, metadata: { ...body.metadata, uid: '' } }, 'metadata.uid is empty'],
    [
      { ...body, metadata: { ...body.metadata, resourceVersion: 7 } },
      'metadata.resourceVersion is not a text',
    ],
    [spec({ request: '' }), 'spec.request is not base64'],
    [spec({ request: 'QUJD\n' }), 'spec.request is not base64'],
    [spec({ request: null }), 'spec.request is not base64'],
    [spec({ expirationSeconds: '600' }), 'spec.expirationSeconds is not a number'],
    [spec({ username: 7 }), 'spec.username is not a text'],
    [spec({ groups: 'system:nodes' }), 'spec.groups is not a list'],
    [spec({ groups: [7] }), 'spec.groups.0 is not a text'],
    [status({ certificate: '####' }), 'status.certificate is not base64'],
    [status({ conditions: [{ type: 'Denied', status: 'False' }] }), 'status.conditions.0.status is not True'],
    [status({ conditions: [{ status: 'True' }] }), 'status.conditions.0.type is missing'],
  ];
  for (const [changed, said] of wrong) {
    test(said, async () => {
      assert.equal(await refusal(read(changed)), `the CertificateSigningRequest ${name}: ${said}`);
    });
  }
});

describe('the ConfigMap kubeadm-config', () => {
  const read = (body: unknown): Promise<string> =>
    readClusterConfiguration(answering({ [configMap]: body }).ask);

  test('has the configuration, or says that it has none', async () => {
    const { body } = recorded('the kubeadm-config ConfigMap').response;
    assert.match(await read(body), /^apiServer:|^apiVersion:/m);
    for (const data of [undefined, null, {}, { ClusterConfiguration: '' }, { Other: 'x' }]) {
      await assert.rejects(read({ kind: 'ConfigMap', data }), /has no ClusterConfiguration$/);
    }
  });
});

describe('a Status', () => {
  test('as it was recorded', () => {
    const { body } = recorded('a ConfigMap that does not exist').response;
    const found = statusIn(JSON.stringify(body));
    assert.deepEqual([found?.reason, found?.details?.name], ['NotFound', 'kubeadm-confg']);
  });

  test('is believed as far as it is one', () => {
    const wrong = { kind: 'Status', reason: 404, message: '', details: 'none', code: 'x' };
    assert.deepEqual(statusIn(JSON.stringify(wrong)), {
      kind: 'Status',
      reason: undefined,
      message: undefined,
      details: undefined,
    });
    for (const body of ['', 'null', '[]', '"Status"', '{"kind":"Pod"}', '404 page not found\n']) {
      assert.equal(statusIn(body), undefined);
    }
  });
});
