import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { surroundings } from '../../operations/kubelet-serving/sample.ts';
import { authorityOf } from '../../support/cluster/authority.ts';
import { leadTo } from '../../support/cluster/node.ts';
import type { NamedObject } from '../../support/cluster/objects-api.ts';
import { endpointsPath, servingBed, slicesPath, type ServingBed } from '../../support/cluster/serving-bed.ts';
import type { Answer, Asked, RequestFault } from '../../support/cluster/server.ts';
import { judge } from '../../support/judge.ts';
import { kubepkiCommand, startKubepki, type Outcome } from '../../support/kubepki.ts';
import { until } from '../../support/deadline.ts';
import { terminal } from '../../support/screen.ts';
import { temporaryDirectory } from '../../support/tree.ts';

const configMapPath = '/api/v1/namespaces/kube-system/configmaps/kubeadm-config';
const all = ['approve', '--all', '--allow-cidr', '192.0.2.0/24', '--allow-dns', 'node-*'];

function status(code: number, reason: string, headers: Answer['headers'] = {}): Answer {
  const message = `${reason}, said in words`;
  return {
    status: code,
    headers,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code },
  };
}

function said({ stderr }: Outcome): string {
  return stderr.replaceAll(/127\.0\.0\.1:\d+/g, 'HERE');
}

function nothingDecided(bed: ServingBed): void {
  assert.deepEqual(bed.standing(), { 'csr-1': 'pending' });
}

describe('on partial knowledge nothing is approved', () => {
  const lists = ['/api/v1/nodes', '/api/v1/services', slicesPath, configMapPath];
  for (const path of lists) {
    test(`403 on ${path}`, async (t) => {
      const bed = await servingBed(t, {
        faults: (asked) => (asked.path === path ? status(403, 'Forbidden') : undefined),
      });
      if (bed === undefined) return;
      bed.put('csr-1', {}, { names: ['DNS:node-1'] });
      for (const args of [
        ['approve', 'csr-1'],
        [...all, '--deny-invalid'],
      ]) {
        const outcome = await bed.run(...args);
        assert.equal(
          said(outcome),
          'error: the API server at https://HERE refused (403): Forbidden, said in words\n',
        );
        assert.deepEqual([outcome.stdout, outcome.code], ['', 1]);
      }
      nothingDecided(bed);
      assert.ok(bed.server.seen.every(({ method }) => method === 'GET'));
    });
  }

  const wrong: readonly (readonly [title: string, path: string, body: unknown])[] = [
    [
      'nodes that are something else',
      '/api/v1/nodes',
      { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: [] },
    ],
    ['nodes without items', '/api/v1/nodes', { kind: 'NodeList', apiVersion: 'v1', metadata: {} }],
    [
      'a node without a name',
      '/api/v1/nodes',
      { kind: 'NodeList', apiVersion: 'v1', metadata: {}, items: [{ metadata: {} }] },
    ],
    [
      'an address that is a number',
      '/api/v1/nodes',
      {
        kind: 'NodeList',
        metadata: {},
        items: [
          { metadata: { name: 'node-1' }, status: { addresses: [{ type: 'InternalIP', address: 1 }] } },
        ],
      },
    ],
    ['services that are text', '/api/v1/services', { kind: 'ServiceList', metadata: {}, items: 'none' }],
    [
      'cluster IPs that are none',
      '/api/v1/services',
      {
        kind: 'ServiceList',
        metadata: {},
        items: [{ metadata: { namespace: 'a', name: 'b' }, spec: { clusterIPs: '10.96.0.1' } }],
      },
    ],
    [
      'endpoints that are null',
      slicesPath,
      { kind: 'EndpointSliceList', metadata: {}, items: [{ endpoints: [{ addresses: [null] }] }] },
    ],
    [
      'a list that does not end',
      '/api/v1/nodes',
      { kind: 'NodeList', metadata: { continue: 'again' }, items: [] },
    ],
    ['a page of a portal', '/api/v1/nodes', '<html>Log in</html>'],
    [
      'a ConfigMap without a configuration',
      configMapPath,
      { kind: 'ConfigMap', apiVersion: 'v1', metadata: {}, data: {} },
    ],
  ];
  for (const [title, path, body] of wrong) {
    test(title, async (t) => {
      const bed = await servingBed(t, {
        faults: (asked) => (asked.path === path ? { status: 200, body } : undefined),
      });
      if (bed === undefined) return;
      bed.put('csr-1');
      const { stdout, stderr, code } = await bed.run('approve', 'csr-1');
      assert.match(stderr, /^error: (?:the API server|the ConfigMap)[^\n]*\n(?:hint: [^\n]*\n)?$/);
      assert.deepEqual([stdout, code], ['', 1]);
      nothingDecided(bed);
    });
  }

  test('a configuration that is invalid', async (t) => {
    const bed = await servingBed(t, {
      clusterConfiguration:
        'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\ncontrolPlaneEndpoint: "not a host"\n',
    });
    if (bed === undefined) return;
    bed.put('csr-1');
    const { stderr, code } = await bed.run('approve', 'csr-1');
    assert.match(
      stderr,
      /^error: the cluster's kubeadm-config: ClusterConfiguration\.controlPlaneEndpoint: .*\nhint: correct it: /,
    );
    assert.equal(code, 3);
    nothingDecided(bed);
  });

  test('no endpoints at all', async (t) => {
    const bed = await servingBed(t, {
      surroundings: surroundings([], { kubernetesEndpoints: [] }),
      lists: { [endpointsPath]: { kind: 'Endpoints', items: [] } },
    });
    if (bed === undefined) return;
    bed.put('csr-1');
    const { stderr, code } = await bed.run('approve', 'csr-1');
    assert.match(stderr, /^error: the Service kubernetes has no endpoints/);
    assert.equal(code, 1);
    nothingDecided(bed);
  });

  test('a user without rights', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('csr-1');
    leadTo(bed.tree, 'scheduler.conf', bed.server.port);
    const scheduler = ['--kubeconfig', '/etc/kubernetes/scheduler.conf'];
    for (const args of [['list'], ['approve', 'csr-1'], ['deny', 'csr-1'], all]) {
      const { stdout, stderr, code } = await bed.run(...args, ...scheduler);
      assert.match(
        stderr,
        /^error: .* refused \(403\): certificatesigningrequests\.certificates\.k8s\.io .*User "system:kube-scheduler" cannot/,
      );
      assert.deepEqual([stdout, code], ['', 1]);
    }
    nothingDecided(bed);
  });

  test('somebody who may look, and not approve', async (t) => {
    const bed = await servingBed(t, {
      faults: ({ method }) => (method === 'PUT' ? status(403, 'Forbidden') : undefined),
    });
    if (bed === undefined) return;
    bed.put('csr-1');
    const outcome = await bed.run('approve', 'csr-1');
    assert.equal(
      said(outcome),
      'error: the API server at https://HERE refused (403): Forbidden, said in words\n',
    );
    assert.deepEqual([outcome.stdout, outcome.code], ['', 1]);
    nothingDecided(bed);
  });
});

test('lists are read to their ends', async (t) => {
  const around = surroundings();
  const nodes = [
    ...around.nodes,
    { name: 'node-3', addresses: [{ type: 'ExternalIP', address: '203.0.113.10' }] },
  ];
  const bed = await servingBed(t, {
    lists: {
      '/api/v1/nodes': {
        kind: 'Node',
        pageSize: 1,
        items: nodes.map(
          ({ name, addresses }) => ({ metadata: { name }, status: { addresses } }) as NamedObject,
        ),
      },
    },
  });
  if (bed === undefined) return;
  bed.put('csr-1');
  // The last page says whose it is.
  assert.match(
    (await bed.run('approve', 'csr-1')).stderr,
    /check other-node\): "IP:203\.0\.113\.10" belongs to the node node-3\n/,
  );
  const asked = bed.server.seen.filter(({ path }) => path === '/api/v1/nodes');
  assert.deepEqual(
    asked.map(({ query }) => [query.get('limit'), query.get('continue')]),
    [
      ['100', null],
      ['100', '1'],
      ['100', '2'],
    ],
  );
  nothingDecided(bed);
});

test('a list that has become too old half-way is begun anew', async (t) => {
  let expired = 0;
  const bed = await servingBed(t, {
    faults: ({ query }) => {
      if (query.get('continue') === null || expired === 1) return undefined;
      expired += 1;
      return status(410, 'Expired');
    },
    lists: {
      '/api/v1/nodes': {
        kind: 'Node',
        pageSize: 1,
        items: surroundings().nodes.map(
          ({ name, addresses }) => ({ metadata: { name }, status: { addresses } }) as NamedObject,
        ),
      },
    },
  });
  if (bed === undefined) return;
  bed.put('csr-1');
  assert.equal((await bed.run('approve', 'csr-1')).code, 0);
  assert.equal(expired, 1);
});

test('a cluster without EndpointSlices has Endpoints', async (t) => {
  const endpoints = (ip: string): NamedObject =>
    ({ metadata: { name: 'kubernetes' }, subsets: [{ addresses: [{ ip }] }] }) as NamedObject;
  for (const [ip, code] of [
    ['192.0.2.10', 1],
    ['192.0.2.100', 0],
  ] as const) {
    const bed = await servingBed(t, {
      before: ({ path }) =>
        path === slicesPath
          ? { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found\n' }
          : undefined,
      lists: { [endpointsPath]: { kind: 'Endpoints', items: [endpoints(ip)] } },
    });
    if (bed === undefined) return;
    bed.put('csr-1');
    const outcome = await bed.run('approve', 'csr-1');
    assert.equal(outcome.code, code, outcome.stderr);
    if (code === 1) assert.match(outcome.stderr, /check kubernetes-endpoints/);
  }
});

describe('what is decided is what was judged', () => {
  /** Does something when the approval arrives, before it is carried out. */
  const meanwhile =
    (change: { current: () => void }) =>
    ({ method }: Asked): RequestFault | undefined => {
      if (method === 'PUT') change.current();
      return undefined;
    };
  const once = (change: { current: () => void }, action: () => void): void => {
    change.current = () => {
      change.current = () => undefined;
      action();
    };
  };

  test('one that has changed is judged anew: still good', async (t) => {
    const change = { current: (): void => undefined };
    const bed = await servingBed(t, { faults: meanwhile(change) });
    if (bed === undefined) return;
    bed.put('csr-1');
    once(change, () => {
      bed.csr.remove('csr-1');
      bed.put('csr-1', {}, { names: ['DNS:node-1'] });
    });
    const { stdout, stderr, code } = await bed.run('approve', 'csr-1');
    // What was approved in the end is what is said.
    assert.equal(stdout, 'csr-1 approved (system:node:node-1, DNS:node-1)\n');
    assert.deepEqual([stderr, code], ['', 0]);
    const puts = bed.server.seen.filter(({ method }) => method === 'PUT');
    assert.equal(puts.length, 2);
  });

  for (const args of [['approve', 'csr-1'], all]) {
    test(`${args[1] ?? ''}: another request by the same name`, async (t) => {
      const change = { current: (): void => undefined };
      const bed = await servingBed(t, { faults: meanwhile(change) });
      if (bed === undefined) return;
      bed.put('csr-1', {}, { names: ['DNS:node-1'] });
      once(change, () => {
        bed.csr.remove('csr-1');
        bed.put('csr-1', {}, { names: ['DNS:kubernetes.default.svc'] });
      });
      const { stdout, stderr } = await bed.run(...args);
      assert.equal(stdout, '');
      assert.match(stderr, /^(?:error|warning): csr-1 is not approved \(check node-addresses\): /);
      nothingDecided(bed);
    });
  }

  test('the cluster is looked at anew too', async (t) => {
    const change = { current: (): void => undefined };
    let looks = 0;
    const bed = await servingBed(t, {
      faults: meanwhile(change),
      before: ({ path }) => {
        if (path === '/api/v1/services') looks += 1;
        return undefined;
      },
    });
    if (bed === undefined) return;
    bed.put('csr-1');
    once(change, () => {
      bed.csr.remove('csr-1');
      bed.put('csr-1');
    });
    assert.equal((await bed.run('approve', 'csr-1')).code, 0);
    assert.equal(looks, 2);
  });

  test('somebody else has denied it', async (t) => {
    const change = { current: (): void => undefined };
    const bed = await servingBed(t, { faults: meanwhile(change) });
    if (bed === undefined) return;
    bed.put('csr-1');
    once(change, () => {
      bed.csr.decide('csr-1', { type: 'Denied', reason: 'Somebody', message: 'no' });
    });
    const { stdout, stderr, code } = await bed.run('approve', 'csr-1', '--deny-invalid');
    assert.equal(stderr, 'error: csr-1 is not approved (check pending): it is denied already\n');
    assert.deepEqual([stdout, code], ['', 1]);
    assert.deepEqual(bed.standing(), { 'csr-1': 'Denied' });
  });

  test('it is gone', async (t) => {
    const change = { current: (): void => undefined };
    const bed = await servingBed(t, { faults: meanwhile(change) });
    if (bed === undefined) return;
    bed.put('csr-1');
    once(change, () => {
      bed.csr.remove('csr-1');
    });
    const { stderr, code } = await bed.run('approve', 'csr-1');
    assert.match(stderr, /^error: there is no request csr-1\n/);
    assert.equal(code, 1);
  });

  test('it changes for ever', async (t) => {
    const change = { current: (): void => undefined };
    const bed = await servingBed(t, { faults: meanwhile(change) });
    if (bed === undefined) return;
    bed.put('csr-1');
    change.current = () => {
      bed.csr.remove('csr-1');
      bed.put('csr-1');
    };
    const { stderr, code } = await bed.run('approve', 'csr-1');
    assert.equal(stderr, 'error: the request csr-1 is changed again and again, and was not decided\n');
    assert.equal(code, 1);
    nothingDecided(bed);
    assert.equal(bed.server.seen.filter(({ method }) => method === 'PUT').length, 5);
  });

  for (const [title, body] of [
    ['a server that says yes and does nothing', undefined],
    ['a server that answers with another object', { kind: 'Status', status: 'Success' }],
  ] as const) {
    test(title, async (t) => {
      const bed = await servingBed(t, {
        faults: ({ method, body: sent }) => {
          if (method !== 'PUT') return undefined;
          return { status: 200, body: body ?? { ...(sent as object), status: {} } };
        },
      });
      if (bed === undefined) return;
      bed.put('csr-1');
      const { stdout, stderr, code } = await bed.run('approve', 'csr-1');
      assert.match(stderr, /^error: the API server/);
      assert.deepEqual([stdout, code], ['', 1]);
    });
  }
});

describe('an API server in trouble', () => {
  const passing: readonly (readonly [string, RequestFault])[] = [
    ['429', status(429, 'TooManyRequests', { 'retry-after': '1' })],
    ['500', status(500, 'InternalError')],
    ['a connection that is cut', 'reset'],
  ];
  for (const method of ['GET', 'PUT']) {
    for (const [title, fault] of passing) {
      test(`${title} once, when it is asked with ${method}`, async (t) => {
        let left = 1;
        const bed = await servingBed(t, {
          faults: (asked) => {
            if (asked.method !== method || left === 0) return undefined;
            left -= 1;
            return fault;
          },
        });
        if (bed === undefined) return;
        bed.put('csr-1');
        const { stdout, stderr, code } = await bed.run('approve', 'csr-1');
        assert.deepEqual([stderr, code, left], ['', 0, 0]);
        assert.match(stdout, /^csr-1 approved /);
      });
    }
  }

  test('an approval whose answer is lost is given once, and told as given', async (t) => {
    let lost = 0;
    const bed = await servingBed(t, {
      faults: ({ method }) => {
        if (method !== 'PUT') return undefined;
        lost += 1;
        return 'lost';
      },
    });
    if (bed === undefined) return;
    bed.put('csr-1');
    const { stdout, stderr, code } = await bed.run('approve', 'csr-1');
    assert.deepEqual([stderr, code, lost], ['', 0, 1]);
    assert.match(stdout, /^csr-1 approved /);
    assert.deepEqual(bed.standing(), { 'csr-1': 'Approved' });
  });

  const lasting: readonly (readonly [string, RequestFault, RegExp])[] = [
    ['429', status(429, 'TooManyRequests'), /has too much to do \(429\)/],
    [
      '429 for an hour',
      status(429, 'TooManyRequests', { 'retry-after': '3600' }),
      /has too much to do \(429\)/,
    ],
    ['500', status(500, 'InternalError'), /answered 500/],
    ['401', status(401, 'Unauthorized'), /does not know the user of the kubeconfig \(401\)/],
    ['every connection cut', 'reset', /broke the connection off/],
    ['half an answer', 'half', /did not answer within 10 s/],
    ['silence', 'hang', /did not answer within 10 s/],
  ];
  // Each waits ten seconds for an answer, or as long for its turn: all at once.
  describe('for good', { concurrency: true }, () => {
    for (const [title, fault, sentence] of lasting) {
      test(`${title}, from the first request on`, async (t) => {
        const bed = await servingBed(t, { faults: () => fault });
        if (bed === undefined) return;
        bed.put('csr-1');
        const { stdout, stderr, code } = await bed.run('approve', 'csr-1');
        assert.match(
          stderr,
          new RegExp(`^error: the API server at https://127\\.0\\.0\\.1:\\d+ ${sentence.source}`),
        );
        assert.deepEqual([stdout, code], ['', 1]);
        nothingDecided(bed);
      });
    }

    test('silence when it is to approve: what is not known is said', async (t) => {
      const bed = await servingBed(t, {
        faults: ({ method, path }) => (method === 'PUT' && path.includes('csr-2') ? 'hang' : undefined),
      });
      if (bed === undefined) return;
      for (const name of ['csr-1', 'csr-2', 'csr-3']) bed.put(name);
      const { stdout, stderr, code } = await bed.run('approve', 'csr-1', 'csr-2', 'csr-3');
      assert.match(stdout, /^csr-1 approved [^\n]*\n$/);
      assert.match(
        stderr,
        /did not answer within 10 s\nhint: whether csr-2 is approved is not known: kubepki csr list --rootfs \S+\n$/,
      );
      assert.equal(code, 1);
      assert.deepEqual(bed.standing(), { 'csr-1': 'Approved', 'csr-2': 'pending', 'csr-3': 'pending' });
    });
  });

  test('its certificate has expired', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const scratch = temporaryDirectory(t);
    const bed = await servingBed(t, {
      serving: ({ certDir }) => {
        const files = { certificate: join(certDir, 'ca.crt'), key: join(certDir, 'ca.key') };
        const names = 'IP:127.0.0.1,DNS:kubernetes';
        return authorityOf(openssl, files, scratch).issue({
          subject: '/CN=kube-apiserver',
          names,
          expired: true,
        });
      },
    });
    if (bed === undefined) return;
    bed.put('csr-1');
    const outcome = await bed.run('approve', 'csr-1');
    assert.equal(said(outcome), 'error: the API server at https://HERE has a certificate that has expired\n');
    assert.equal(outcome.code, 1);
    nothingDecided(bed);
  });

  test('nobody is there', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    await bed.server.stop();
    const outcome = await bed.run('list');
    assert.equal(
      said(outcome),
      'error: the API server at https://HERE is not there: the connection was refused\n',
    );
    assert.deepEqual([outcome.stdout, outcome.code], ['', 1]);
  });

  test('a kubeconfig that leads elsewhere, unverified, is not used', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    const path = join(bed.tree.kubeconfigDir, 'admin.conf');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/certificate-authority-data: .*/, 'insecure-skip-tls-verify: true'));
    assert.match((await bed.run('list')).stderr, /^error: .*admin\.conf: cluster .* is not verified/);
    assert.deepEqual(bed.server.seen, []);
  });
});

describe('interrupted', () => {
  test('before anything is decided', async (t) => {
    const bed = await servingBed(t, { fault: 'hang' });
    if (bed === undefined) return;
    bed.put('csr-1');
    const running = startKubepki(['csr', 'approve', 'csr-1', '--rootfs', bed.tree.directory]);
    await until(() => (bed.server.seen.length > 0 ? true : undefined), {
      deadlineMs: 30_000,
      otherwise: () => 'it does not ask',
    });
    running.kill('SIGINT');
    const { stdout, stderr, code } = await running.ended;
    assert.deepEqual([stdout, stderr, code], ['', 'interrupted: nothing was changed\n', 130]);
    nothingDecided(bed);
  });

  test('while one is decided: what is decided and what may be is said', async (t) => {
    const bed = await servingBed(t, {
      surroundings: surroundings([], { controlPlaneEndpoint: undefined }),
      faults: ({ method, path }) => (method === 'PUT' && path.includes('csr-2') ? 'hang' : undefined),
    });
    if (bed === undefined) return;
    bed.put('csr-1');
    bed.put('csr-2');
    const running = startKubepki(['csr', 'approve', 'csr-1', 'csr-2', '--rootfs', bed.tree.directory]);
    const isAsked = ({ method, path }: Asked): boolean => method === 'PUT' && path.includes('csr-2');
    await until(() => (bed.server.seen.some(isAsked) ? true : undefined), {
      deadlineMs: 30_000,
      otherwise: () => 'it does not approve',
    });
    running.kill('SIGTERM');
    const { stderr, code } = await running.ended;
    assert.equal(stderr, 'interrupted: csr-1 approved; perhaps csr-2 approved\n');
    assert.equal(code, 143);
  });
});

test('on a terminal it is seen to wait, and Ctrl-C ends it', async (t) => {
  const bed = await servingBed(t, { fault: 'hang' });
  if (bed === undefined) return;
  bed.put('csr-1');
  const command = [...kubepkiCommand, 'csr', 'approve', 'csr-1', '--rootfs', bed.tree.directory];
  const shown = terminal(t, command.join(' '));
  if (shown === undefined) return;
  await shown.shows(/asking the cluster \(\d+s\)/);
  shown.type('C-c');
  const screen = await shown.shows(/exit=130/);
  assert.match(screen, /interrupted: nothing was changed/);
  assert.doesNotMatch(screen, /asking the cluster/);
  nothingDecided(bed);
});

test('a result that cannot be written does not undo what was decided: exit 8', async (t) => {
  const bed = await servingBed(t, { surroundings: surroundings([], { controlPlaneEndpoint: undefined }) });
  if (bed === undefined) return;
  bed.put('csr-1');
  const command = [...kubepkiCommand, 'csr', 'approve', 'csr-1', '--rootfs', bed.tree.directory];
  const child = spawn('sh', ['-c', 'exec "$@" >/dev/full', 'sh', ...command], { stdio: 'ignore' });
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 8);
  assert.deepEqual(bed.standing(), { 'csr-1': 'Approved' });
});
