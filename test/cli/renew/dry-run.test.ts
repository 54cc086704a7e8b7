import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { quickTree } from '../../support/node.ts';
import { changes, copyFixture, snapshot } from '../../support/tree.ts';

describe('--dry-run', () => {
  for (const args of [
    ['renew', 'all'],
    ['renew', 'apiserver'],
    ['rollback'],
    ['recover'],
    ['recover', '--discard'],
  ]) {
    test(`${args.join(' ')} writes nothing, not even a lock`, async (t) => {
      const tree = quickTree(t);
      await done(tree, 'renew', 'all');
      const before = snapshot(tree.directory);
      const outcome = await done(tree, ...args, '--dry-run');
      assert.match(outcome.stdout, /nothing was changed \(--dry-run\)\n$/);
      assert.doesNotMatch(outcome.stdout + outcome.stderr, /PRIVATE KEY/);
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    });
  }

  test('leaves no state directory where there was none', async (t) => {
    const tree = quickTree(t);
    const before = snapshot(tree.directory);
    await done(tree, 'renew', 'all', '--dry-run');
    await done(tree, 'recover', '--dry-run');
    assert.equal((await certs(tree, 'rollback', '--dry-run')).code, 1);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });

  test('renew says for each certificate its ends, issuer, key and files', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    const { stdout } = await done(tree, 'renew', 'apiserver', '--dry-run');
    assert.match(
      stdout.replaceAll(tree.directory, ''),
      /^would change apiserver: ends Nov 23, 2027 21:41 UTC -> \w{3} \d\d, \d{4} \d\d:\d\d UTC, issuer CN=kubernetes, key RSA-2048\n {2}\/etc\/kubernetes\/pki\/apiserver\.key\n {2}\/etc\/kubernetes\/pki\/apiserver\.crt\n/,
    );
  });

  test("renew says which certificate is capped to its CA's end", async (t) => {
    const tree = copyFixture(t, 'ca-expiring');
    const { stdout, stderr } = await done(tree, 'renew', 'apiserver', 'etcd-server', '--dry-run');
    assert.match(stdout, /^would change apiserver: .* -> Mar 01, 2027 .*, capped to the CA's end, issuer /m);
    assert.match(stdout, /^would change etcd-server: (?!.*capped)/m);
    assert.match(stderr, /^warning: .*ca\.crt: the CA ends on 2027-03-01/);
  });

  test('has the exit code that the renewal would have', async (t) => {
    const tree = copyFixture(t, 'external-front-proxy');
    const outcome = await certs(tree, 'renew', 'front-proxy-client', '--dry-run');
    assert.equal(outcome.code, 6);
    assert.match(outcome.stdout, /^Detected external front-proxy-ca, /);
  });
});
