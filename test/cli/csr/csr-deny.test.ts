import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CsrObject } from '../../support/cluster/csr-object.ts';
import { servingBed } from '../../support/cluster/serving-bed.ts';

describe('csr deny NAME', () => {
  test('denies a pending request, good or bad', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('bad', { username: 'somebody', groups: [] });
    bed.put('good');
    bed.put('other');
    const { stdout, stderr, code } = await bed.run('deny', 'good', 'bad');
    assert.match(
      stdout,
      /^good denied \(system:node:node-1, DNS:node-1, .*\)\nbad denied \(somebody, .*\)\n$/,
    );
    assert.deepEqual([stderr, code], ['', 0]);
    assert.deepEqual(bed.standing(), { bad: 'Denied', good: 'Denied', other: 'pending' });
    const [{ status }] = bed.csr.kept() as readonly [CsrObject];
    assert.equal(status.conditions?.[0]?.reason, 'KubepkiDeny');
  });

  test('of nothing else, and of none that is decided', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('approved', { conditions: ['Approved'] });
    bed.put('client', { signerName: 'kubernetes.io/kube-apiserver-client' });
    const before = bed.standing();
    const { stdout, stderr, code } = await bed.run('deny', 'approved', 'client', 'absent');
    assert.equal(stdout, '');
    assert.equal(
      stderr,
      `error: approved is not denied (check pending): it is approved already
error: client is not denied (check signer): its signer is "kubernetes.io/kube-apiserver-client", not kubernetes.io/kubelet-serving
error: there is no request absent
hint: kubepki csr list --rootfs ${bed.tree.directory} shows those that there are
`,
    );
    assert.equal(code, 1);
    assert.deepEqual(bed.standing(), before);
    assert.ok(bed.server.seen.every(({ method }) => method === 'GET'));
  });

  test('--dry-run, and as a document', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('csr-1');
    const dry = await bed.run('deny', 'csr-1', '--dry-run');
    assert.match(dry.stdout, /^csr-1 would be denied \(/);
    assert.deepEqual(bed.standing(), { 'csr-1': 'pending' });
    const json = await bed.run('deny', 'csr-1', '-o', 'json');
    const { command, dryRun, requests } = JSON.parse(json.stdout) as Readonly<Record<string, unknown>>;
    assert.deepEqual([command, dryRun, json.code], ['deny', false, 0]);
    assert.equal((requests as readonly { readonly outcome: string }[])[0]?.outcome, 'denied');
  });

  test('only what it was when it was looked at', async (t) => {
    let change = (): void => undefined;
    const bed = await servingBed(t, {
      faults: ({ method }) => {
        if (method === 'PUT') change();
        return undefined;
      },
    });
    if (bed === undefined) return;
    bed.put('csr-1');
    change = () => {
      change = () => undefined;
      bed.csr.remove('csr-1');
      bed.put('csr-1', { signerName: 'example.com/signer' });
    };
    const { stderr, code } = await bed.run('deny', 'csr-1');
    assert.match(stderr, /^error: csr-1 is not denied \(check signer\): /);
    assert.equal(code, 1);
    assert.deepEqual(bed.standing(), { 'csr-1': 'pending' });
  });
});
