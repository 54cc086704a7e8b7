import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { servingBed, type ServingBed } from '../../support/cluster/serving-bed.ts';

const lists = [
  ...['--allow-cidr', '192.0.2.0/24', '--allow-cidr', '2001:db8::/32,203.0.113.0/24'],
  ...['--allow-dns', 'node-*,example.internal'],
];

/** Two that are good, two that are not, and others that are nobody's business here. */
function fill(bed: ServingBed): void {
  bed.put('csr-1');
  bed.put(
    'csr-2',
    { username: 'system:node:node-2' },
    {
      subject: ['O = system:nodes', 'CN = system:node:node-2'],
      names: ['DNS:node-2.example.internal', 'IP:192.0.2.20'],
    },
  );
  bed.put('csr-elsewhere', {}, { names: ['DNS:node-1.example.com'] });
  bed.put('csr-taken', {}, { names: ['IP:192.0.2.20'] });
  bed.put('other-client', { signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] });
  bed.put('other-done', { conditions: ['Denied'] });
  bed.put('other-signer', { signerName: 'example.com/signer' });
}

const others = { 'other-client': 'pending', 'other-done': 'Denied', 'other-signer': 'pending' };

describe('csr approve --all', () => {
  test('approves what passes every check, and warns of what does not: exit 0', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    fill(bed);
    const { stdout, stderr, code } = await bed.run('approve', '--all', ...lists);
    assert.match(stdout, /^csr-1 approved \(.*\)\ncsr-2 approved \(.*\)\n$/);
    assert.equal(
      stderr,
      `warning: csr-elsewhere is not approved (check allow-list): "DNS:node-1.example.com" is not covered by --allow-dns
warning: csr-taken is not approved (check node-addresses): "IP:192.0.2.20" is no address of the node node-1
`,
    );
    assert.equal(code, 0);
    const left = { 'csr-elsewhere': 'pending', 'csr-taken': 'pending' };
    assert.deepEqual(bed.standing(), { 'csr-1': 'Approved', 'csr-2': 'Approved', ...left, ...others });
  });

  test('from cron: silent but for what is refused', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('csr-1');
    const quiet = ['approve', '--all', ...lists, '--quiet'];
    assert.deepEqual(await bed.run(...quiet), { stdout: '', stderr: '', code: 0, signal: undefined });
    assert.deepEqual(await bed.run(...quiet), { stdout: '', stderr: '', code: 0, signal: undefined });
    bed.put('csr-2', {}, { names: ['DNS:elsewhere'] });
    const refused = await bed.run(...quiet);
    assert.match(refused.stderr, /^warning: csr-2 is not approved \(check node-addresses\): [^\n]*\n$/);
    assert.deepEqual([refused.stdout, refused.code], ['', 0]);
  });

  for (const [name, flags, check] of [
    [
      'another network',
      ['--allow-cidr', '198.51.100.0/24', ...lists.slice(2)],
      /"IP:192\.0\.2\.10" is not covered by --allow-cidr/,
    ],
    [
      'another domain',
      [...lists.slice(0, 4), '--allow-dns', 'example.org'],
      /"DNS:node-1" is not covered by --allow-dns/,
    ],
  ] as const) {
    test(`approves nothing outside the lists: ${name}`, async (t) => {
      const bed = await servingBed(t);
      if (bed === undefined) return;
      bed.put('csr-1');
      const { stdout, stderr, code } = await bed.run('approve', '--all', ...flags);
      assert.match(stderr, /^warning: csr-1 is not approved \(check allow-list\): /);
      assert.match(stderr, check);
      assert.deepEqual([stdout, code], ['', 0]);
      assert.deepEqual(bed.standing(), { 'csr-1': 'pending' });
    });
  }

  test('--deny-invalid denies the refused ones, and touches no other', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    fill(bed);
    const { stdout, stderr, code } = await bed.run('approve', '--all', ...lists, '--deny-invalid');
    assert.match(
      stdout,
      /^csr-1 approved .*\ncsr-2 approved .*\ncsr-elsewhere denied \(check allow-list: .*\ncsr-taken denied \(check /,
    );
    assert.match(
      stderr,
      /^warning: csr-elsewhere is denied, not approved .*\nwarning: csr-taken is denied, not approved .*\n$/,
    );
    assert.equal(code, 0);
    const denied = { 'csr-elsewhere': 'Denied', 'csr-taken': 'Denied' };
    assert.deepEqual(bed.standing(), { 'csr-1': 'Approved', 'csr-2': 'Approved', ...denied, ...others });
  });

  test('--dry-run decides nothing', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    fill(bed);
    const before = bed.standing();
    const args = ['approve', '--all', ...lists, '--deny-invalid', '--dry-run'];
    assert.equal((await bed.run(...args)).code, 0);
    const json = await bed.run(...args, '-o', 'json');
    const { requests } = JSON.parse(json.stdout) as {
      readonly requests: readonly {
        readonly name: string;
        readonly outcome: string;
        readonly check: string | null;
      }[];
    };
    assert.deepEqual(
      requests.map(({ name, outcome, check }) => [name, outcome, check]),
      [
        ['csr-1', 'would-approve', null],
        ['csr-2', 'would-approve', null],
        ['csr-elsewhere', 'would-deny', 'allow-list'],
        ['csr-taken', 'would-deny', 'node-addresses'],
      ],
    );
    assert.deepEqual(bed.standing(), before);
  });

  test('with nothing pending it says why, where the kubelet of this node does not ask', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('other-signer', { signerName: 'example.com/signer' });
    const nothing = 'note: no request for kubernetes.io/kubelet-serving is pending\n';
    assert.equal((await bed.run('approve', '--all', ...lists)).stderr, nothing);
    const directory = join(bed.tree.directory, 'var/lib/kubelet');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'config.yaml'), 'kind: KubeletConfiguration\n');
    const outcome = await bed.run('approve', '--all', ...lists);
    assert.match(
      outcome.stderr.slice(nothing.length),
      /^note: this node's kubelet asks for no serving certificate: \S+\/config\.yaml lacks serverTLSBootstrap\nhint: /,
    );
    assert.deepEqual([outcome.stdout, outcome.code], ['', 0]);
    rmSync(directory, { recursive: true });
  });
});
