/** A renewal that was asked for other SANs alone, and for nothing else, is none where they are there already. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { changeDocument, entry, outcomes } from '../../support/change-document.ts';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { quickTree, stateDirectory } from '../../support/node.ts';
import { makeApiserver, sansOf } from '../../support/certificates/san.ts';
import { treeEnding } from '../../support/certificates/short-lived.ts';
import { changes, snapshot, type Tree } from '../../support/tree.ts';
import { signingNode } from '../../support/cluster/use-api.ts';

const notRenewed = 'certificate for serving the Kubernetes API not renewed: its SANs are those asked for\n';

function backups(tree: Tree): readonly string[] {
  return readdirSync(join(stateDirectory(tree), 'backups'));
}

describe('asked for again', () => {
  test('nothing is renewed, and no backup is pushed out', async (t) => {
    const tree = quickTree(t);
    const ask = ['renew', 'apiserver', '--add-san', 'New.example.com,192.0.2.77', '--remove-san', 'old'];
    assert.equal((await done(tree, ...ask)).stdout, 'certificate for serving the Kubernetes API renewed\n');
    const [before, kept] = [snapshot(tree.certDir), backups(tree)];
    for (let run = 0; run < 6; run += 1) {
      const { stdout, stderr } = await done(tree, ...ask);
      assert.equal(stdout, notRenewed);
      assert.deepEqual(stderr.split('\n'), [
        'note: apiserver: DNS:new.example.com is among the SANs already',
        'note: apiserver: IP:192.0.2.77 is among the SANs already',
        'note: apiserver: DNS:old is not among the SANs',
        '',
      ]);
    }
    assert.deepEqual(backups(tree), kept);
    assert.deepEqual(changes(before, snapshot(tree.certDir), { inodes: true }), []);
  });

  test('of several, those without a difference are left as they are; the document says which', async (t) => {
    const tree = quickTree(t);
    await done(tree, 'renew', 'apiserver', '--add-san', 'new.example.com');
    const before = snapshot(tree.certDir);
    const both = ['renew', 'apiserver', 'etcd-server', '--add-san', 'new.example.com', '-o', 'json'];
    const planned = changeDocument((await done(tree, ...both, '--dry-run')).stdout);
    const document = changeDocument((await done(tree, ...both)).stdout);
    for (const one of [planned, document]) {
      assert.deepEqual(outcomes(one), ['apiserver same-sans', 'etcd-server renewed']);
      assert.equal(
        entry(one, 'apiserver').reason,
        'its SANs are those asked for, and nothing else was asked for',
      );
      assert.deepEqual(one.restart, ['etcd']);
    }
    const changed = changes(before, snapshot(tree.certDir), { inodes: true });
    assert.ok(changed.every((path) => !path.includes('apiserver')));
    assert.ok(changed.some((path) => path.includes('etcd/server.crt')));
  });

  test('nothing follows it: no hook, and no complaint about a CA that is elsewhere', async (t) => {
    const tree = quickTree(t);
    await done(tree, 'renew', 'apiserver', '--add-san', 'new.example.com');
    writeFileSync(join(tree.certDir, 'ca.key'), 'no key\n');
    const hook = ['--deploy-hook', `touch ${join(tree.directory, 'ran')}`];
    const { stdout } = await done(tree, 'renew', 'apiserver', '--add-san', 'new.example.com', ...hook);
    assert.equal(stdout, notRenewed);
    assert.ok(!readdirSync(tree.directory).includes('ran'));
    assert.equal((await certs(tree, 'renew', 'apiserver', '--add-san', 'b.example.com')).code, 1);
  });
});

test('with --within it is renewed when it is due, and when its SANs are not those', async (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const tree = treeEnding(t, { 'etcd-server': 10 });
  const ask = async (...flags: readonly string[]): Promise<readonly string[]> =>
    outcomes(
      changeDocument(
        (await done(tree, 'renew', 'apiserver', 'etcd-server', ...flags, '--within', '30d', '-o', 'json'))
          .stdout,
      ),
    );
  const add = ['--add-san', 'new.example.com'];
  assert.deepEqual(await ask(...add, '--dry-run'), ['apiserver renewed', 'etcd-server renewed']);
  assert.deepEqual(await ask(...add), ['apiserver renewed', 'etcd-server renewed']);
  assert.ok(sansOf(openssl, tree, 'apiserver').includes('DNS:new.example.com'));
  assert.deepEqual(await ask(...add), ['apiserver not-due', 'etcd-server not-due']);
  await done(tree, 'renew', 'etcd-server', '--validity', '10d');
  // It has the name, and is due.
  assert.deepEqual(await ask(...add), ['apiserver not-due', 'etcd-server renewed']);
  const remove = ['--remove-san', 'new.example.com'];
  assert.deepEqual(await ask(...remove), ['apiserver renewed', 'etcd-server renewed']);
  assert.deepEqual(await ask(...remove), ['apiserver not-due', 'etcd-server not-due']);
});

describe('--csr-only', () => {
  test('makes no request for them, unless one waits that must have them', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = quickTree(t);
    const request = (...args: readonly string[]) =>
      certs(tree, 'renew', 'apiserver', '--csr-only', '--csr-dir', '/csr', ...args);
    const before = snapshot(tree.directory);
    for (const dryRun of [['--dry-run'], []]) {
      const { stdout, stderr, code } = await request('--add-san', 'kubernetes', ...dryRun);
      assert.equal(code, 0, stderr);
      assert.match(
        stdout,
        /^certificate for serving the Kubernetes API not requested: its SANs are those asked for\n/,
      );
      assert.match(stderr, /^note: apiserver: DNS:kubernetes is among the SANs already$/m);
    }
    const document = changeDocument((await request('--add-san', 'kubernetes', '-o', 'json')).stdout);
    assert.deepEqual(outcomes(document), ['apiserver same-sans']);
    const made = changes(before, snapshot(tree.directory)).filter((path) => path.includes('/csr'));
    assert.deepEqual(made, []);
    assert.equal((await request('--add-san', 'new.example.com')).code, 0);
    const other = await request('--add-san', 'kubernetes');
    assert.match(other.stderr, /waits already, and asks for other SANs: also for DNS:new\.example\.com/);
    const forced = await request('--add-san', 'kubernetes', '--force', '-o', 'json');
    assert.deepEqual(outcomes(changeDocument(forced.stdout)), ['apiserver requested']);
  });
});

test('--use-api asks nobody for them', async (t) => {
  const node = await signingNode(t);
  if (node === undefined) return;
  const { tree, csrs } = node;
  for (const flags of [['--dry-run'], []]) {
    const { code, stdout, stderr } = await certs(
      tree,
      ...['renew', 'apiserver', '--use-api', '--add-san', 'kubernetes', ...flags],
    );
    assert.equal(code, 0, stderr);
    assert.ok(stdout.startsWith(notRenewed), stdout);
    assert.match(stderr, /^note: apiserver: DNS:kubernetes is among the SANs already$/m);
  }
  assert.deepEqual(csrs.kept(), []);
});

describe('a serving certificate without SANs', () => {
  const warning = /^warning: apiserver: there is no DNS name or IP address among its SANs, /m;
  const hint = /^hint: .*--sans-from-config/m;
  for (const [what, extension] of [
    ['none at all', 'keyUsage=digitalSignature'],
    ['a URI alone', 'subjectAltName=URI:urn:x'],
  ] as const) {
    test(`${what}: it is renewed, and it is said that nobody accepts it`, async (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const tree = quickTree(t);
      makeApiserver(openssl, tree, extension, 'extendedKeyUsage=serverAuth');
      for (const how of [
        ['--dry-run'],
        ['--csr-only', '--csr-dir', '/csr', '--dry-run'],
        ['--csr-only', '--csr-dir', '/csr'],
        ['--quiet'],
      ]) {
        const { stderr } = await done(tree, 'renew', 'apiserver', 'etcd-peer', ...how);
        assert.match(stderr, warning, how.join(' '));
        assert.match(stderr, hint, how.join(' '));
        assert.doesNotMatch(stderr, /etcd-peer: there is no/);
      }
      const named = await done(tree, 'renew', 'apiserver', '--add-san', 'a.example.com');
      assert.doesNotMatch(named.stderr, /warning/);
    });
  }

  test('with --use-api as well', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    makeApiserver(node.openssl, node.tree, 'extendedKeyUsage=serverAuth');
    const signer = ['--signer-name', 'clusterissuers.cert-manager.io/kubepki'];
    const { stderr } = await certs(node.tree, 'renew', 'apiserver', '--use-api', ...signer, '--dry-run');
    assert.match(stderr, warning);
    assert.match(stderr, hint);
  });
});
