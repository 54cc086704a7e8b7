import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { checks, type Check } from '../../../src/operations/kubelet-serving/kubelet-serving.ts';
import { parse } from 'yaml';
import { refusals } from '../../operations/kubelet-serving/refusals.ts';
import { ownAddresses, surroundings, wanted } from '../../operations/kubelet-serving/sample.ts';
import type { CsrObject } from '../../support/cluster/csr-object.ts';
import { clusterConfiguration } from '../../support/cluster/node.ts';
import type { RunOptions } from '../../support/kubepki.ts';
import { servingBed } from '../../support/cluster/serving-bed.ts';
import { recorded } from '../../support/cluster/transcript.ts';
import { changes, snapshot, temporaryDirectory } from '../../support/tree.ts';

describe('csr approve NAME', () => {
  test('approves a request that passes every check, and the signer issues', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('csr-1');
    bed.put('csr-2');
    const before = snapshot(bed.tree.directory);
    assert.deepEqual(await bed.run('approve', 'csr-1'), {
      stdout:
        'csr-1 approved (system:node:node-1, DNS:node-1, DNS:node-1.example.internal, IP:192.0.2.10, IP:2001:db8::10, IP:203.0.113.10)\n',
      stderr: '',
      code: 0,
      signal: undefined,
    });
    assert.deepEqual(bed.standing(), { 'csr-1': 'Approved', 'csr-2': 'pending' });
    assert.match((await bed.run('list')).stdout, /^csr-1 .* Approved,Issued /m);
    const [{ status }] = bed.csr.kept() as readonly [CsrObject];
    assert.equal(status.conditions?.[0]?.reason, 'KubepkiApprove');
    assert.deepEqual(changes(before, snapshot(bed.tree.directory)), [], 'nothing on this node changes');
  });

  test('approves the recorded request of a kubelet', async (t) => {
    const { body } = recorded('kubelet serving request by the kubelet identity').response;
    const { metadata, spec } = body as CsrObject;
    const { body: node } = recorded('node object lookup').response;
    const addresses = (node as { readonly status: { readonly addresses: typeof ownAddresses } }).status
      .addresses;
    const bed = await servingBed(t, {
      surroundings: surroundings([], { nodes: [{ name: 'control-plane-1', addresses }] }),
    });
    if (bed === undefined) return;
    bed.csr.put(metadata.name, spec);
    const { stdout, stderr, code } = await bed.run('approve', metadata.name);
    assert.deepEqual([stderr, code], ['', 0]);
    assert.match(
      stdout,
      /^csr-9wvgt approved \(system:node:control-plane-1, DNS:control-plane-1, IP:192\.0\.2\.10\)\n$/,
    );
    assert.deepEqual(bed.standing(), { 'csr-9wvgt': 'Approved' });
  });

  test('what is not approved does not keep the others from it', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('bad', { username: 'system:node:node-2' });
    bed.put('done', { conditions: ['Approved'] });
    bed.put('good');
    const { stdout, stderr, code } = await bed.run('approve', 'bad', 'good', 'absent', 'done', 'good');
    assert.match(stdout, /^good approved [^\n]*\n$/);
    assert.equal(
      stderr,
      `error: bad is not approved (check common-name): its common name is "system:node:node-1", not that of its requestor "system:node:node-2"
error: there is no request absent
hint: kubepki csr list --rootfs ${bed.tree.directory} shows those that there are
error: done is not approved (check pending): it is approved already
`,
    );
    assert.equal(code, 1);
    assert.deepEqual(bed.standing(), { bad: 'pending', done: 'Approved', good: 'Approved' });
  });

  test('lists that are given count here too', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('csr-1', {}, { names: ['IP:192.0.2.10'] });
    const refused = await bed.run('approve', 'csr-1', '--allow-cidr', '198.51.100.0/24,2001:db8::/32');
    assert.match(refused.stderr, /\(check allow-list\): "IP:192\.0\.2\.10" is not covered by --allow-cidr\n/);
    assert.equal(refused.code, 1);
    assert.deepEqual(bed.standing(), { 'csr-1': 'pending' });
    const twice = ['--allow-cidr', '198.51.100.0/24', '--allow-cidr', '192.0.2.0/24'];
    assert.equal((await bed.run('approve', ...twice, 'csr-1')).code, 0);
  });

  test('--dry-run judges, and decides nothing', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('good');
    bed.put('bad', {}, { names: ['DNS:elsewhere'] });
    const outcome = await bed.run('approve', 'good', 'bad', '--deny-invalid', '--dry-run');
    assert.match(
      outcome.stdout,
      /^good would be approved \(.*\)\nbad would be denied \(check node-addresses: .*\)\n$/,
    );
    assert.match(outcome.stderr, /^error: bad is not approved \(check node-addresses\)/);
    assert.match(outcome.stderr, /^note: nothing was decided \(--dry-run\)\n/m);
    assert.equal(outcome.code, 1);
    assert.deepEqual(bed.standing(), { bad: 'pending', good: 'pending' });
    assert.deepEqual([...new Set(bed.server.seen.map(({ method }) => method))], ['GET']);
  });
});

describe('requests with one thing wrong each', () => {
  test('are refused for that and left pending, whichever check it is that they fail', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    // What is refused for what the cluster says of itself needs a cluster for each, and the lists are flags here: decide.test.ts
    // has all of them. Of an empty request no API server would have made an object.
    const table = refusals.filter(
      ({ title, check, object, claims, surroundings: around }) =>
        claims === undefined &&
        around === undefined &&
        object?.issued !== true &&
        title !== 'empty' &&
        check !== 'allow-list',
    );
    const chosen = checks.flatMap((check) => table.filter((one) => one.check === check).slice(0, 2));
    assert.ok(chosen.length >= 25, String(chosen.length));
    const names = chosen.map((_, index) => `csr-${String(index)}`);
    for (const [index, { object, wanted: asked, spoil }] of chosen.entries()) {
      const pem = bed.maker.make({ ...wanted, ...asked });
      bed.put(names[index] ?? '', { ...object, request: spoil === undefined ? pem : spoil(pem, bed.maker) });
    }
    const before = bed.standing();
    const { stdout, stderr, code } = await bed.run('approve', ...names);
    const errors = stderr.split('\n').filter((line) => line.startsWith('error: '));
    for (const [index, { title, check }] of chosen.entries()) {
      assert.match(
        errors[index] ?? '',
        new RegExp(`^error: csr-${String(index)} is not approved \\(check ${check}\\): .`),
        title,
      );
    }
    assert.deepEqual([errors.length, stdout, code], [chosen.length, '', 1]);
    assert.deepEqual(bed.standing(), before);
    assert.deepEqual(
      bed.server.seen.filter(({ method }) => method !== 'GET'),
      [],
    );
  });
});

describe('--deny-invalid', () => {
  test('denies what fails a check, and says to everybody which', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('csr-1', {}, { names: ['IP:192.0.2.20'] });
    const { stdout, stderr, code } = await bed.run('approve', 'csr-1', '--deny-invalid');
    const reason = '"IP:192.0.2.20" is no address of the node node-1';
    assert.equal(stdout, `csr-1 denied (check node-addresses: ${reason})\n`);
    assert.equal(stderr, `error: csr-1 is denied, not approved (check node-addresses): ${reason}\n`);
    assert.equal(code, 1);
    const [{ status }] = bed.csr.kept() as readonly [CsrObject];
    assert.deepEqual(
      status.conditions?.map(({ type, status: truth, reason: why, message }) => ({
        type,
        truth,
        why,
        message,
      })),
      [
        {
          type: 'Denied',
          truth: 'True',
          why: 'KubepkiDenyInvalid',
          message: `check node-addresses: ${reason}`,
        },
      ],
    );
  });

  for (const [title, changed] of [
    ['one of another signer', { signerName: 'kubernetes.io/kube-apiserver-client' }],
    [
      'one of a kubelet for its client certificate',
      { signerName: 'kubernetes.io/kube-apiserver-client-kubelet' },
    ],
    ['one that is approved', { conditions: ['Approved'] }],
    ['one that is denied', { conditions: ['Denied'] }],
  ] as const) {
    test(`leaves ${title} as it is`, async (t) => {
      const bed = await servingBed(t);
      if (bed === undefined) return;
      bed.put('csr-1', changed, { names: ['IP:192.0.2.20'] });
      const before = bed.standing();
      assert.equal((await bed.run('approve', 'csr-1', '--deny-invalid')).code, 1);
      assert.deepEqual(bed.standing(), before);
      assert.deepEqual(
        bed.server.seen.filter(({ method }) => method !== 'GET'),
        [],
      );
    });
  }
});

test("a control-plane node's own address is refused as all endpoints are, and the way on is said", async (t) => {
  const own = { nodes: [{ name: 'node-1', addresses: ownAddresses }] };
  const cases: readonly (readonly [Check, Partial<ReturnType<typeof surroundings>>])[] = [
    ['kubernetes-endpoints', { ...own, kubernetesEndpoints: ['192.0.2.10'] }],
    ['control-plane-endpoint', { ...own, controlPlaneEndpoint: { host: '192.0.2.10', addresses: [] } }],
  ];
  for (const [check, around] of cases) {
    const bed = await servingBed(t, { surroundings: surroundings([], around) });
    if (bed === undefined) return;
    bed.put('csr-1');
    const { stderr, code } = await bed.run('approve', 'csr-1');
    assert.match(stderr, new RegExp(`check ${check}.*\\nhint: .*: kubectl certificate approve csr-1\\n$`));
    assert.equal(code, 1);
    assert.deepEqual(bed.standing(), { 'csr-1': 'pending' });
  }
});

test('-o json and -o yaml say the same of each request', async (t) => {
  const bed = await servingBed(t);
  if (bed === undefined) return;
  bed.put('bad', {}, { names: ['DNS:elsewhere'] });
  bed.put('good', {}, { names: ['DNS:node-1'] });
  const args = ['approve', 'good', 'bad', 'absent'];
  const yaml = await bed.run(...args, '--dry-run', '-o', 'yaml');
  const json = await bed.run(...args, '-o', 'json');
  const expected = (outcome: string, dryRun: boolean): unknown => ({
    kind: 'SigningRequestDecision',
    apiVersion: 'kubepki/v1',
    command: 'approve',
    dryRun,
    requests: [
      {
        name: 'good',
        outcome,
        ...{ check: null, reason: null, signerName: 'kubernetes.io/kubelet-serving' },
        ...{ requestor: 'system:node:node-1', key: 'ECDSA P-256', names: ['DNS:node-1'] },
      },
      {
        name: 'bad',
        outcome: 'refused',
        check: 'node-addresses',
        reason: '"DNS:elsewhere" is no address of the node node-1',
        signerName: 'kubernetes.io/kubelet-serving',
        ...{ requestor: 'system:node:node-1', key: 'ECDSA P-256', names: ['DNS:elsewhere'] },
      },
      {
        name: 'absent',
        outcome: 'not-found',
        ...{ check: null, reason: null, signerName: null, requestor: null, key: null, names: null },
      },
    ],
  });
  assert.deepEqual(parse(yaml.stdout), expected('would-approve', true));
  assert.deepEqual(JSON.parse(json.stdout), expected('approved', false));
  assert.deepEqual([yaml.code, json.code], [1, 1]);
});

describe('what the command line says wrong is said before anything is asked', () => {
  const lists = ['--allow-cidr', '192.0.2.0/24', '--allow-dns', 'example.internal'];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['approve'], /^error: no request is named\nhint: .*--all/],
    [['approve', '--all'], /^error: --all wants --allow-cidr and --allow-dns too\nhint: /],
    [['approve', '--all', ...lists.slice(0, 2)], /^error: --all wants --allow-dns too\n/],
    [['approve', '--all', ...lists.slice(2)], /^error: --all wants --allow-cidr too\n/],
    [['approve', 'csr-1', '--all', ...lists], /^error: --all stands alone/],
    [['approve', '..'], /^error: ".." is no name of a request\n/],
    [['approve', 'a/approval'], /^error: "a\/approval" is no name/],
    [['approve', ''], /^error: "" is no name/],
    [['approve', '%2e%2e'], /^error: "%2e%2e" is no name/],
    [['approve', 'csr-1', '--allow-cidr', '0.0.0.0/0'], /^error: --allow-cidr "0\.0\.0\.0\/0" is too wide/],
    [
      ['approve', 'csr-1', '--allow-cidr', '192.0.2.10/24'],
      /^error: --allow-cidr .* is no network\nhint: .*192\.0\.2\.0\/24/,
    ],
    [['approve', 'csr-1', '--allow-cidr', ''], /^error: --allow-cidr "" is not a CIDR/],
    [['approve', 'csr-1', '--allow-dns', '*'], /^error: --allow-dns "\*" allows any name/],
    [['approve', 'csr-1', '--allow-dns', '*.*'], /^error: --allow-dns "\*\.\*" allows any name/],
    [['approve', 'csr-1', '--allow-dns', ''], /^error: --allow-dns "" is neither/],
    [['approve', 'csr-1', '--quiet', '-o', 'json'], /^error: --quiet does not go with -o/],
    [['deny'], /^error: no request is named\nhint: kubepki csr list --rootfs \S+ shows them\n/],
    [
      ['deny', 'a/b', '--kubeconfig', '/my conf'],
      /^error: "a\/b" is no name of a request\nhint: kubepki csr list --kubeconfig '\/my conf' --rootfs \S+ shows them\n/,
    ],
    [['deny', '--all'], /^error: unknown option '--all'\nhint: kubepki csr deny --help/],
    [['list', 'csr-1'], /^error: too many arguments/],
    [['aprove'], /^error: unknown command "aprove" for "kubepki csr"\n/],
  ];
  test('', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('csr-1');
    for (const [args, expected] of cases) {
      const { stdout, stderr, code } = await bed.run(...args);
      assert.match(stderr, expected, args.join(' '));
      assert.deepEqual([stdout, code], ['', 1], args.join(' '));
    }
    assert.deepEqual(bed.server.seen, []);
  });
});

test('what the requestor writes draws nothing on the terminal, here or at whoever reads the denial', async (t) => {
  const bed = await servingBed(t, {
    surroundings: surroundings([{ type: 'Hostname', address: 'x' }]),
  });
  if (bed === undefined) return;
  const hostile = 'system:node:\u001b[2J\u009b31mnode\n1';
  bed.put('csr-1', { username: hostile, groups: ['\u001b]0;title\u0007'] });
  bed.put('csr-2', {}, { subject: ['O = system:nodes', 'CN = "system:node:\u001b[2Jx"'] });
  bed.put('csr-3', {}, { names: ['URI:x:\u009b2J'] });
  for (const args of [
    ['approve', 'csr-1', 'csr-2', 'csr-3', '--dry-run'],
    ['approve', 'csr-1', 'csr-2', 'csr-3', '-o', 'yaml'],
    ['approve', 'csr-1', 'csr-2', 'csr-3', '--deny-invalid'],
    ['list'],
    ['list', '-o', 'json'],
  ]) {
    const { stdout, stderr } = await bed.run(...args);
    assert.match(stdout + stderr, /csr-1/);
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    assert.doesNotMatch(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/, args.join(' '));
  }
  for (const { status } of bed.csr.kept()) {
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    assert.doesNotMatch(status.conditions?.[0]?.message ?? '', /[\u0000-\u001f\u007f-\u009f]/);
    assert.equal(status.conditions?.[0]?.type, 'Denied');
  }
});

describe('a controlPlaneEndpoint that is a name', () => {
  const configuration = clusterConfiguration('controlPlaneEndpoint: api.example:6443');

  /** A look-up of this machine's that knows one name, or none. */
  function lookUp(t: TestContext, address?: string): RunOptions {
    const bin = temporaryDirectory(t);
    const answer = address === undefined ? 'exit 2' : `echo '${address} STREAM api.example'`;
    writeFileSync(join(bin, 'getent'), `#!/bin/sh\n[ "$*" = 'ahosts api.example' ] || exit 3\n${answer}\n`, {
      mode: 0o755,
    });
    return { programs: bin };
  }

  test('an address that it leads to is refused', async (t) => {
    const bed = await servingBed(t, { clusterConfiguration: configuration });
    if (bed === undefined) return;
    bed.put('csr-1');
    const { stderr, code } = await bed.runWith(lookUp(t, '203.0.113.10'), 'approve', 'csr-1');
    assert.match(
      stderr,
      /^error: csr-1 is not approved \(check control-plane-endpoint\): "IP:203\.0\.113\.10" belongs to the controlPlaneEndpoint$/m,
    );
    assert.equal(code, 1);
    const elsewhere = await bed.runWith(lookUp(t, '203.0.113.11'), 'approve', 'csr-1');
    assert.deepEqual([elsewhere.stderr, elsewhere.code], ['', 0]);
  });

  test('while it leads nowhere, nothing is decided', async (t) => {
    const bed = await servingBed(t, { clusterConfiguration: configuration });
    if (bed === undefined) return;
    bed.put('csr-1', { usages: ['client auth'] });
    const { stderr, code } = await bed.runWith(lookUp(t), 'approve', 'csr-1', '--deny-invalid');
    assert.equal(
      stderr,
      "error: the controlPlaneEndpoint api.example has no address here, so that nobody can say which are the control plane's\n" +
        'hint: run it where it can be looked up: getent ahosts api.example\n',
    );
    assert.equal(code, 1);
    assert.deepEqual(bed.standing(), { 'csr-1': 'pending' });
  });
});
