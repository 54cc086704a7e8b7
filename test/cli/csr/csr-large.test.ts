import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { surroundings } from '../../operations/kubelet-serving/sample.ts';
import { csrPath } from '../../support/cluster/csr-api.ts';
import type { NamedObject } from '../../support/cluster/objects-api.ts';
import { servingBed, type ServingBed } from '../../support/cluster/serving-bed.ts';

const all = ['approve', '--all', '--allow-cidr', '192.0.2.0/24', '--allow-dns', 'node-*'];

/** As large as an API server takes them. The first of those that are good comes before these, the second behind them. */
function fill(bed: ServingBed, count: number): readonly string[] {
  const request = Buffer.from(`-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(1_000_000)}`);
  const names = Array.from({ length: count }, (_, index) => `large-${String(index).padStart(3, '0')}`);
  for (const name of names) bed.put(name, { request });
  for (const name of ['a-good', 'z-good']) bed.put(name, {}, { names: ['DNS:node-1'] });
  return names;
}

describe('requests as large as anybody may make them', () => {
  test('stop no other, and are named: approve --all', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    const large = fill(bed, 130);
    const { stdout, stderr, code } = await bed.run(...all);
    assert.match(stdout, /^a-good approved \(.*\)\nz-good approved \(.*\)\n$/);
    const warnings = stderr.split('\n').filter((line) => line.startsWith('warning: '));
    assert.deepEqual(
      warnings,
      large.map(
        (name) =>
          `warning: ${name} is not approved: the CertificateSigningRequest ${name} is larger than 256 KiB`,
      ),
    );
    assert.equal(code, 0);
    assert.deepEqual(
      bed.standing(),
      Object.fromEntries([
        ['a-good', 'Approved'],
        ...large.map((name) => [name, 'pending']),
        ['z-good', 'Approved'],
      ]),
    );
    // No answer had more than one of them in it, and none was read twice.
    const asked = bed.server.seen.filter(({ path }) => path.startsWith(csrPath));
    const lists = asked.filter(({ path }) => path === csrPath);
    assert.ok(lists.length > 1 && lists.every(({ accept }) => accept.includes('as=Table')));
    for (const name of large) {
      assert.equal(asked.filter(({ path }) => path === `${csrPath}/${name}`).length, 1, name);
    }
  });

  test('are refused by name where they are named, and the others are decided about', async (t) => {
    for (const command of ['approve', 'deny']) {
      const bed = await servingBed(t);
      if (bed === undefined) return;
      fill(bed, 1);
      const decided = command === 'approve' ? 'approved' : 'denied';
      const { stdout, stderr, code } = await bed.run(command, 'large-000', 'z-good');
      assert.match(stdout, new RegExp(`^z-good ${decided} \\(.*\\)\n$`));
      assert.equal(
        stderr,
        `error: large-000 is not ${decided}: the CertificateSigningRequest large-000 is larger than 256 KiB\n` +
          'hint: look at it: kubectl get csr large-000 -o yaml | less\n',
      );
      assert.equal(code, 1);
    }
  });

  test('are rows of the list, and entries of the documents', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    fill(bed, 1);
    const list = await bed.run('list');
    assert.match(list.stdout, /^NAME .*\na-good .*\nlarge-000 +<unknown> +<invalid> .*\nz-good .*\n$/);
    assert.equal(list.stderr, 'warning: the CertificateSigningRequest large-000 is larger than 256 KiB\n');
    const { stdout, code } = await bed.run(...all, '--deny-invalid', '-o', 'json');
    const { requests } = JSON.parse(stdout) as { readonly requests: readonly object[] };
    assert.deepEqual(requests[1], {
      name: 'large-000',
      outcome: 'unreadable',
      check: null,
      reason: 'the CertificateSigningRequest large-000 is larger than 256 KiB',
      signerName: null,
      requestor: null,
      key: null,
      names: null,
    });
    assert.equal(code, 0);
    assert.equal(bed.standing()['large-000'], 'pending');
  });

  test('many that are good are decided about in lots, and the cluster is looked at for each', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    const request = bed.maker.make({
      ...{ subject: ['O = system:nodes', 'CN = system:node:node-1'], names: ['DNS:node-1'], key: 'P-256' },
      ...{ extensions: [], attributes: [], options: [] },
    });
    for (let index = 0; index < 45; index += 1) bed.put(`csr-${String(index)}`, { request });
    const { code, stderr } = await bed.run(...all);
    assert.deepEqual([stderr, code], ['', 0]);
    assert.deepEqual(new Set(Object.values(bed.standing())), new Set(['Approved']));
    const looks = bed.server.seen.flatMap(({ path, method }) =>
      path === '/api/v1/services' ? ['look'] : method === 'PUT' ? ['decide'] : [],
    );
    const lot = ['look', ...Array.from({ length: 20 }, () => 'decide')];
    assert.deepEqual(looks, [...lot, ...lot, ...lot.slice(0, 6)]);
  });
});

test('Nodes as large as a kubelet may make its own: fewer are asked for at once, and none is left out', async (t) => {
  const ballast = { annotations: { x: 'y'.repeat(6 * 1024 * 1024) } };
  const around = surroundings();
  const others = Array.from({ length: 6 }, (_, index) => ({ name: `large-${String(index)}`, addresses: [] }));
  const last = { name: 'z-node', addresses: [{ type: 'ExternalIP', address: '203.0.113.10' }] };
  const bed = await servingBed(t, {
    lists: {
      '/api/v1/nodes': {
        kind: 'Node',
        items: [...around.nodes, ...others, last].map(
          ({ name, addresses }) => ({ metadata: { name, ...ballast }, status: { addresses } }) as NamedObject,
        ),
      },
    },
  });
  if (bed === undefined) return;
  bed.put('csr-1');
  // What the last of them says counts.
  const { stderr } = await bed.run('approve', 'csr-1');
  assert.match(stderr, /check other-node\): "IP:203\.0\.113\.10" belongs to the node z-node\n/);
  const asked = bed.server.seen.filter(({ path }) => path === '/api/v1/nodes');
  assert.deepEqual(asked.map(({ query }) => [query.get('limit'), query.get('continue')].join()).slice(0, 6), [
    '100,',
    '20,',
    '4,',
    '1,',
    '1,1',
    '1,2',
  ]);
});
