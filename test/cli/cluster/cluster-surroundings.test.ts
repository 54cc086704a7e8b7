/** Where the cluster is asked: what the environment says must not change who is asked, nor what is believed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import {
  authorityOf,
  makeAuthority,
  type Authority,
  type LeafWishes,
} from '../../support/cluster/authority.ts';
import { nodeOfCluster } from '../../support/cluster/node.ts';
import { always } from '../../support/cluster/server.ts';
import { judge } from '../../support/judge.ts';
import { kubepki, type Outcome } from '../../support/kubepki.ts';
import { temporaryDirectory, type Tree } from '../../support/tree.ts';

const believesAnything = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };

function ask(tree: Tree, env: Readonly<Record<string, string>> = {}, programs?: string): Promise<Outcome> {
  const kubeconfig = ['--kubeconfig', '/etc/kubernetes/admin.conf'];
  return kubepki(['certs', 'check-expiration', '--rootfs', tree.directory, ...kubeconfig], { env, programs });
}

test('no proxy is used', async (t) => {
  const { tree, server } = await nodeOfCluster(t);
  let connections = 0;
  const proxy = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  const url = `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`;
  const names = ['http_proxy', 'https_proxy', 'all_proxy'];
  const all = Object.fromEntries(
    names.flatMap((name) => [name, name.toUpperCase()]).map((name) => [name, url]),
  );
  const { stderr, code } = await ask(tree, { ...all, NODE_USE_ENV_PROXY: '1' });
  assert.deepEqual([code, connections, server.seen.length], [0, 0, 1], stderr);
});

test('a redirect is not followed', async (t) => {
  const elsewhere = await nodeOfCluster(t);
  const location = `https://127.0.0.1:${String(elsewhere.server.port)}/`;
  const { tree } = await nodeOfCluster(t, {
    api: always({ status: 307, headers: { location }, body: '' }),
  });
  assert.match((await ask(tree)).stderr, /^note: the API server at \S+ answered 307$/m);
  assert.deepEqual(elsewhere.server.seen, []);
});

describe('a server that cannot be believed is asked nothing', () => {
  const other = (openssl: string, directory: string): Authority => makeAuthority(openssl, directory, 'other');
  const own = (openssl: string, directory: string, { certDir }: Tree): Authority =>
    authorityOf(openssl, { certificate: join(certDir, 'ca.crt'), key: join(certDir, 'ca.key') }, directory);
  const subject = '/CN=kube-apiserver';
  const names = 'DNS:kubernetes';
  const servers: readonly (readonly [string, typeof own, LeafWishes, RegExp])[] = [
    ['another CA', other, { subject, names }, /has a certificate of another CA/],
    [
      'another name',
      own,
      { subject: '/CN=kubernetes', names: 'DNS:other' },
      /has a certificate for other names/,
    ],
    ['an end in the past', own, { subject, names, expired: true }, /has a certificate that has expired/],
    ["a client's usage", own, { subject: '/CN=kubernetes' }, /has a certificate that is not for servers/],
  ];
  for (const [what, authority, wishes, said] of servers) {
    for (const env of [{}, believesAnything]) {
      test(`its certificate has ${what}; ${JSON.stringify(env)}`, async (t) => {
        const openssl = judge(t, 'openssl');
        if (openssl === undefined) return;
        const directory = temporaryDirectory(t);
        const { tree, server } = await nodeOfCluster(t, {
          serving: (served) => authority(openssl, directory, served).issue(wishes),
        });
        const { stdout, stderr, code } = await ask(tree, env);
        assert.match(stderr, said);
        assert.match(stdout, /^apiserver /m);
        assert.deepEqual([code, server.seen], [0, []]);
      });
    }
  }
});

describe("the server's name", () => {
  for (const dead of ['127.0.0.2', '::1']) {
    test(`has the addresses that getent knows; where ${dead} is dead, the next one is asked`, async (t) => {
      const { tree, server } = await nodeOfCluster(t);
      const path = join(tree.kubeconfigDir, 'admin.conf');
      writeFileSync(path, readFileSync(path, 'utf8').replace('https://127.0.0.1:', 'https://api.example:'));
      const bin = knowing(t, `${dead} STREAM api.example`, '127.0.0.1 STREAM');
      const { stderr } = await ask(tree, {}, bin);
      assert.equal(server.seen.length, 1, stderr);
      assert.doesNotMatch(stderr, /Error/);
    });
  }
});

/** @returns a directory with a getent in it */
function knowing(t: TestContext, ...lines: readonly string[]): string {
  const bin = temporaryDirectory(t);
  writeFileSync(
    join(bin, 'getent'),
    `#!/bin/sh\nprintf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')}\n`,
  );
  chmodSync(join(bin, 'getent'), 0o755);
  return bin;
}
