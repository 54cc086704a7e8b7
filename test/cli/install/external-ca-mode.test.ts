import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { changes, copyFixture, fixturePath, snapshot, type Tree } from '../../support/tree.ts';

const at = ['--at', '2027-01-01T00:00:00Z'];

interface Broken {
  readonly what: string;
  /** The row it is said in. */
  readonly name: string;
  readonly breakIt: (tree: Tree) => void;
  readonly row: RegExp;
  readonly reason: RegExp;
}

const other = (path: string): string => fixturePath('ecdsa-ca-rsa-leaves', join('etc/kubernetes/pki', path));

// kubeadm: UsingExternalCA, UsingExternalFrontProxyCA and UsingExternalEtcdCA, sibling by sibling.
const siblings = [
  ['apiserver', 'apiserver', 'ca'],
  ['apiserver-kubelet-client', 'apiserver-kubelet-client', 'ca'],
  ['front-proxy-client', 'front-proxy-client', 'front-proxy-ca'],
  ['apiserver-etcd-client', 'apiserver-etcd-client', 'etcd/ca'],
  ['etcd-server', 'etcd/server', 'etcd/ca'],
  ['etcd-peer', 'etcd/peer', 'etcd/ca'],
  ['etcd-healthcheck-client', 'etcd/healthcheck-client', 'etcd/ca'],
] as const;

const broken: readonly Broken[] = siblings.flatMap(([name, baseName, ca]) => [
  {
    what: `${baseName}.key is not there`,
    name,
    breakIt: ({ certDir }) => {
      rmSync(join(certDir, `${baseName}.key`));
    },
    row: new RegExp(`^!INVALID! ${name} +Nov 23, 2027 \\d\\d:\\d\\d UTC +326d +\\S+ +yes {5}$`, 'm'),
    reason: new RegExp(
      `^error: .*/pki/${baseName}\\.key: no such file: the certificate ${name} has no key\nhint: .*renew ${name} --csr-only --rootfs \\S+$`,
      'm',
    ),
  },
  {
    what: `${baseName}.crt is of another CA`,
    name,
    breakIt: ({ certDir }) => {
      cpSync(other(`${baseName}.crt`), join(certDir, `${baseName}.crt`));
    },
    row: new RegExp(`^!INVALID! ${name} +\\w+ \\d\\d, \\d{4} \\d\\d:\\d\\d UTC +\\S+ +\\S+ +yes {5}$`, 'm'),
    reason: new RegExp(
      `^error: .*/pki/${baseName}\\.crt: is not signed by the CA of .*/pki/${ca}\\.crt \\(external CA\\)\nhint: .*$`,
      'm',
    ),
  },
  {
    what: `${baseName}.crt is not there`,
    name,
    breakIt: ({ certDir }) => {
      rmSync(join(certDir, `${baseName}.crt`));
    },
    row: new RegExp(`^!MISSING! ${name} +$`, 'm'),
    reason: new RegExp(
      `^error: .*/pki/${baseName}\\.crt: no such file, and the key of .*/pki/${ca}\\.crt is not here .*\nhint: .*$`,
      'm',
    ),
  },
]);

describe('a CA that is elsewhere', () => {
  for (const { what, name, breakIt, row, reason } of broken) {
    test(`${what}: the row says so, the reason is named, all others stand`, async (t) => {
      const tree = copyFixture(t, 'external-ca');
      const whole = await done(tree, 'check-expiration', ...at);
      breakIt(tree);
      const before = snapshot(tree.directory);
      const checked = await certs(tree, 'check-expiration', ...at);
      assert.equal(checked.code, 1);
      assert.match(checked.stdout, row);
      assert.match(checked.stderr, reason);
      assert.equal(checked.stderr.match(/^error: /gm)?.length, 1, checked.stderr);
      const others = (text: string): string[] =>
        text
          .split('\n')
          .map((line) => line.replace(/ +/g, ' '))
          .filter((line) => !new RegExp(`^(?:\\S+! )?${name} `).test(line));
      assert.deepEqual(others(checked.stdout), others(whole.stdout));

      // Renewing: as ever, and the reason on stderr.
      const renewed = await certs(tree, 'renew', 'all');
      assert.equal(renewed.code, 0, renewed.stderr);
      assert.equal(renewed.stdout.match(/^(?:Detected external|MISSING!) /gm)?.length, 10);
      assert.match(renewed.stderr, new RegExp(reason.source.replace('^error', '^warning'), 'm'));
      const named = await certs(tree, 'renew', name);
      assert.equal(named.code, 6);
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    });
  }

  test('each CA is by itself: what is wrong with the leaves of one whose key is here is a warning', async (t) => {
    const tree = copyFixture(t, 'external-front-proxy');
    rmSync(join(tree.certDir, 'apiserver.key'));
    const checked = await done(tree, 'check-expiration', ...at);
    assert.match(checked.stdout, /^apiserver .* no {6}$/m);
    assert.match(checked.stdout, /^front-proxy-client .* yes {5}$/m);
    assert.match(
      checked.stderr,
      /^warning: \S+apiserver\.key: no such file: the certificate apiserver has no key\nhint: [^\n]+\n$/,
    );
    rmSync(join(tree.certDir, 'front-proxy-client.key'));
    assert.equal((await certs(tree, 'check-expiration', ...at)).code, 1);
    // The others are renewed all the same; kubeadm stops.
    const renewed = await done(tree, 'renew', 'all');
    assert.equal(renewed.stdout.match(/^certificate .* renewed$/gm)?.length, 9);
    assert.match(renewed.stdout, /^Detected external front-proxy-ca, /m);
    assert.match(renewed.stderr, /^warning: .*front-proxy-client\.key: /m);
    assert.equal((await done(tree, 'renew', 'apiserver')).stderr.includes('front-proxy-client'), false);
  });

  test('an expired leaf is not refused: its row says that it has expired', async (t) => {
    const tree = copyFixture(t, 'external-ca');
    const { stdout } = await done(tree, 'check-expiration', '--at', '2028-01-01T00:00:00Z');
    assert.match(stdout, /^apiserver .* <invalid> +ca +yes {5}$/m);
  });

  test('a leaf that reaches the CA over an intermediate behind it verifies', async (t) => {
    const tree = copyFixture(t, 'leaf-chain');
    rmSync(join(tree.certDir, 'ca.key'));
    const { stdout } = await done(tree, 'check-expiration', ...at);
    assert.match(stdout, /^apiserver .* yes {5}$/m);
  });

  test('with an external etcd nobody asks for its certificates', async (t) => {
    const tree = copyFixture(t, 'external-etcd');
    rmSync(join(tree.certDir, 'ca.key'));
    mkdirSync(join(tree.certDir, 'etcd'), { recursive: true });
    writeFileSync(join(tree.certDir, 'etcd/ca.crt'), 'what etcd is trusted with');
    const { stdout } = await done(tree, 'check-expiration', '--config', '/kubeadm.yaml', ...at);
    assert.doesNotMatch(stdout, /etcd/);
  });

  test('in JSON the dates stay, and stderr and the exit code say what is wrong', async (t) => {
    const tree = copyFixture(t, 'external-ca');
    rmSync(join(tree.certDir, 'apiserver.key'));
    const { code, stdout, stderr } = await certs(tree, 'check-expiration', '-o', 'json', ...at);
    assert.equal(code, 1);
    const { certificates } = JSON.parse(stdout) as {
      certificates: { name: string; expirationDate: string }[];
    };
    assert.match(certificates.find(({ name }) => name === 'apiserver')?.expirationDate ?? '', /^2027-11-23T/);
    assert.match(stderr, /^error: .*apiserver\.key: /);
  });
});
