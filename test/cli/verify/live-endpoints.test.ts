import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { createSecureContext, createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { append, makeIntermediate, makeLeaf } from '../../support/certificates/served-leaf.ts';
import { makeCa } from '../../support/certificates/resigned.ts';
import { judge } from '../../support/judge.ts';
import { kubepki } from '../../support/kubepki.ts';
import { edit } from '../../support/planners/verified-node.ts';
import { runProgram } from '../../support/program.ts';
import { freePorts } from '../../support/servers/free-ports.ts';
import { nodeWith, verifyLive } from '../../support/servers/live-node.ts';
import { gnutlsServer, opensslServer } from '../../support/servers/tls-servers.ts';
import { temporaryDirectory, type Tree } from '../../support/tree.ts';

interface Bed {
  readonly openssl: string;
  readonly tree: Tree;
  /** A leaf of the node's CA and its key, without extension. */
  readonly leaf: string;
}

/** @returns undefined: there is no openssl, and the test is skipped */
function bed(t: TestContext, wish: Partial<Parameters<typeof makeLeaf>[2]> = {}): Bed | undefined {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const tree = nodeWith(t);
  const leaf = join(temporaryDirectory(t), 'leaf');
  makeLeaf(openssl, leaf, { by: join(tree.certDir, 'ca'), ...wish });
  return { openssl, tree, leaf };
}

function files(leaf: string): { certificate: string; key: string } {
  return { certificate: `${leaf}.crt`, key: `${leaf}.key` };
}

function contents(leaf: string): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(`${leaf}.crt`), key: readFileSync(`${leaf}.key`) };
}

async function listen(t: TestContext, server: Server, host = '127.0.0.1'): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => open.add(socket.on('error', () => undefined)));
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function tlsServer(t: TestContext, options: TlsOptions, host?: string): Promise<number> {
  const server = createTlsServer(options, (socket) => socket.on('error', () => undefined));
  server.on('tlsClientError', () => undefined);
  return listen(t, server, host);
}

describe('the name by which an address is called', () => {
  const names = 'DNS:kubernetes,DNS:*.apps.example.com,DNS:Upper.example.com,IP:127.0.0.1,IP:2001:db8::1';
  for (const [name, isIn] of [
    ['', true],
    ['kubernetes', true],
    ['KUBERNETES', true],
    ['kubernetes.default', false],
    ['a.apps.example.com', true],
    ['a.b.apps.example.com', false],
    ['apps.example.com', false],
    ['upper.example.com', true],
    ['127.0.0.2', false],
    ['2001:db8::1', true],
    ['2001:db8:0:0::1', true],
    ['2001:db8::2', false],
    // The common name is none.
    ['kube-apiserver', false],
  ] as const) {
    test(`${name === '' ? 'is its host' : name}: ${isIn ? 'is' : 'is not'} in the certificate, as for kubectl`, async (t) => {
      const made = bed(t, { names });
      const kubectl = judge(t, 'kubectl');
      if (made === undefined || kubectl === undefined) return;
      const { openssl, tree, leaf } = made;
      const port = await opensslServer(t, openssl, files(leaf));
      const address = `127.0.0.1:${String(port)}`;
      const { stdout, live, code } = await verifyLive(
        tree,
        ...['--endpoint', name === '' ? address : `${address},${name}`],
      );
      assert.deepEqual([live, code], isIn ? [[], 0] : [['ERROR live-valid'], 5], stdout);
      if (!isIn)
        assert.ok(stdout.includes(`serves a certificate that has no SAN ${name}, by which it is called`));
      const { stderr } = await runProgram(
        kubectl,
        [
          ...[`--server=https://${address}`, `--certificate-authority=${join(tree.certDir, 'ca.crt')}`],
          ...(name === '' ? [] : [`--tls-server-name=${name}`]),
          ...['--kubeconfig=/dev/null', '--token=none', 'get', '--raw', '/healthz'],
        ],
        { HOME: temporaryDirectory(t) },
      );
      assert.equal(/x509: certificate is (?:not )?valid for/.test(stderr), !isIn, stderr);
    });
  }

  test('is asked for, so that a server of many names shows the right one', async (t) => {
    const made = bed(t, { names: 'DNS:localhost,DNS:other.example.com' });
    if (made === undefined) return;
    const { openssl, tree, leaf } = made;
    const fallback = join(temporaryDirectory(t), 'fallback');
    makeLeaf(openssl, fallback, {
      by: join(tree.certDir, 'ca'),
      names: 'DNS:fallback.example.com,IP:127.0.0.1',
    });
    const asked: string[] = [];
    const port = await tlsServer(t, {
      ...contents(fallback),
      SNICallback: (name, answer) => {
        asked.push(name);
        answer(null, createSecureContext(contents(leaf)));
      },
    });
    for (const [host, live] of [
      [`localhost:${String(port)}`, []],
      [`127.0.0.1:${String(port)},other.example.com`, []],
      [`localhost:${String(port)},third.example.com`, ['ERROR live-valid']],
      // An address is no name to ask for (RFC 6066, 3).
      [`127.0.0.1:${String(port)}`, []],
      [`localhost:${String(port)},127.0.0.1`, []],
    ] as const) {
      assert.deepEqual((await verifyLive(tree, '--endpoint', host)).live, live, host);
    }
    assert.deepEqual(asked, ['localhost', 'other.example.com', 'third.example.com']);
  });
});

describe('the CA of an address', () => {
  test('is known where a kubeconfig leads to it: its users refuse every other', async (t) => {
    const made = bed(t);
    if (made === undefined) return;
    const { openssl, tree, leaf } = made;
    makeCa(openssl, `${leaf}-ca`, 'elsewhere');
    makeLeaf(openssl, `${leaf}-other`, { by: `${leaf}-ca` });
    const port = String(await opensslServer(t, openssl, files(`${leaf}-other`)));
    const before = await verifyLive(tree, '--endpoint', `127.0.0.1:${port}`);
    assert.deepEqual([before.live, before.code], [['WARNING live-valid'], 0], before.stdout);
    assert.match(before.stdout, /serves a certificate that none of this node's CAs has signed/);
    edit(tree, 'etc/kubernetes/scheduler.conf', (text) =>
      text.replace(/server: .*/, `server: https://127.0.0.1:${port}`),
    );
    const after = await verifyLive(tree, '--endpoint', `127.0.0.1:${port}`);
    assert.deepEqual([after.live, after.code], [['ERROR live-valid'], 5], after.stdout);
    assert.match(after.stdout, /is not signed by the CA of \S+\/pki\/ca\.crt/);
  });

  test('else may be any of this node: etcd with its own', async (t) => {
    const made = bed(t);
    if (made === undefined) return;
    const { openssl, tree, leaf } = made;
    makeLeaf(openssl, `${leaf}-etcd`, { by: join(tree.certDir, 'etcd/ca') });
    const port = String(await opensslServer(t, openssl, files(`${leaf}-etcd`)));
    const { live, code, stdout } = await verifyLive(tree, '--endpoint', `127.0.0.1:${port}`);
    assert.deepEqual([live, code], [[], 0], stdout);
  });

  test('that is not known makes no certificate valid that has expired', async (t) => {
    const made = bed(t);
    if (made === undefined) return;
    const { openssl, tree, leaf } = made;
    makeCa(openssl, `${leaf}-ca`, 'elsewhere');
    makeLeaf(openssl, `${leaf}-other`, {
      by: `${leaf}-ca`,
      start: '20260101000000Z',
      end: '20260201000000Z',
    });
    const port = String(await opensslServer(t, openssl, files(`${leaf}-other`)));
    const { live, code, stdout } = await verifyLive(tree, '--endpoint', `127.0.0.1:${port}`);
    assert.deepEqual([live, code], [['ERROR live-valid', 'WARNING live-valid'], 5], stdout);
    assert.match(stdout, /serves a certificate that expired on 2026-02-01T00:00:00Z/);
  });
});

test('a certificate that ends soon decides the exit code, as one on disk does', async (t) => {
  const soon = new Date(Date.now() + 20 * 24 * 3600 * 1000).toISOString().replace(/[-:T]|\.\d+/g, '');
  const made = bed(t, { end: soon });
  if (made === undefined) return;
  const { openssl, tree, leaf } = made;
  const port = String(await opensslServer(t, openssl, files(leaf)));
  const within = await verifyLive(tree, '--endpoint', `127.0.0.1:${port}`);
  assert.deepEqual([within.live, within.code], [[], 4], within.stdout);
  assert.match(
    within.stdout,
    /^WARNING +ends-soon +127\.0\.0\.1:\d+: serves a certificate that ends on \S+$/m,
  );
  const later = await verifyLive(tree, '--endpoint', `127.0.0.1:${port}`, '--within', '10d');
  assert.equal(later.code, 0, later.stdout);
});

describe("GnuTLS' server", () => {
  for (const [what, flags] of [
    ['TLS 1.2', ['--disable-client-cert', '--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2']],
    ['TLS 1.3', ['--disable-client-cert', '--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3']],
    [
      'TLS 1.2, and it wants a client certificate',
      ['--require-client-cert', '--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2'],
    ],
    [
      'TLS 1.3, and it wants a client certificate',
      ['--require-client-cert', '--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3'],
    ],
  ] as const) {
    test(what, async (t) => {
      const made = bed(t);
      const gnutls = judge(t, 'gnutls-serv');
      if (made === undefined || gnutls === undefined) return;
      const { openssl, tree, leaf } = made;
      const ca = join(tree.certDir, 'ca');
      makeIntermediate(openssl, `${leaf}-ca`, { by: ca });
      makeLeaf(openssl, `${leaf}-below`, { by: `${leaf}-ca` });
      const alone = String(await gnutlsServer(t, gnutls, files(`${leaf}-below`), flags));
      const without = await verifyLive(tree, '--endpoint', `127.0.0.1:${alone}`);
      assert.deepEqual(without.live, ['WARNING live-valid'], without.stdout);
      append(`${leaf}-below.crt`, `${leaf}-ca.crt`);
      const whole = String(await gnutlsServer(t, gnutls, files(`${leaf}-below`), flags));
      const { live, code, stdout } = await verifyLive(tree, '--endpoint', `127.0.0.1:${whole}`);
      assert.deepEqual([live, code], [[], 0], stdout);
    });
  }
});

describe("node's server", () => {
  test('is asked over IPv6, where this machine has it', async (t) => {
    const made = bed(t, { names: 'IP:127.0.0.1,IP:::1' });
    if (made === undefined) return;
    const { tree, leaf } = made;
    const hasIpv6 = networkInterfaces()['lo']?.some(({ address }) => address === '::1') === true;
    const port = String(await tlsServer(t, contents(leaf), hasIpv6 ? '::1' : '127.0.0.1'));
    const address = `${hasIpv6 ? '[::1]' : '127.0.0.1'}:${port}`;
    const { live, code, stdout } = await verifyLive(tree, '--endpoint', address);
    assert.deepEqual([live, code], [[], 0], stdout);
  });

  test('with a client certificate that it wants, and with an old TLS alone', async (t) => {
    const made = bed(t);
    if (made === undefined) return;
    const { tree, leaf } = made;
    const ca = readFileSync(join(tree.certDir, 'ca.crt'));
    for (const options of [
      { requestCert: true, rejectUnauthorized: true, ca },
      { requestCert: true, rejectUnauthorized: true, ca, maxVersion: 'TLSv1.2' },
      { maxVersion: 'TLSv1.2' },
      { ALPNProtocols: ['h2'] },
    ] as const) {
      const port = String(await tlsServer(t, { ...contents(leaf), ...options }));
      const { live, code, stdout } = await verifyLive(tree, '--endpoint', `127.0.0.1:${port}`);
      assert.deepEqual([live, code], [[], 0], stdout);
    }
  });
});

describe('an address that shows nothing is not known, and never well', () => {
  const unanswered = async (tree: Tree, addresses: readonly string[], why: RegExp): Promise<void> => {
    const { stdout, stderr, code } = await kubepki(
      ['verify', '--rootfs', tree.directory, ...addresses.flatMap((one) => ['--endpoint', one])],
      // It waits for each three seconds at most, and for all of them at once.
      { limitMs: 60_000 },
    );
    assert.deepEqual([stderr, code], ['', 1], stdout);
    const said = stdout.split('\n').filter((line) => line.startsWith('UNCHECKED'));
    assert.equal(said.length, addresses.length, stdout);
    for (const [index, line] of said.entries()) {
      assert.ok(line.includes(` ${addresses[index] ?? ''}: `), line);
      assert.match(line, why);
    }
    assert.match(stdout, /^- +live-valid /m);
  };

  test('where nothing listens', async (t) => {
    const [port = 0] = await freePorts(1);
    await unanswered(nodeWith(t), [`127.0.0.1:${String(port)}`], /shows no certificate: connection refused;/);
  });

  test('where what listens never answers, forty times', async (t) => {
    const port = await listen(t, createServer());
    const addresses = Array.from(
      { length: 40 },
      (_, index) => `127.0.0.${String(index + 1)}:${String(port)}`,
    );
    const [first = ''] = addresses;
    await unanswered(
      nodeWith(t),
      addresses.map(() => first),
      /shows no certificate: no answer;/,
    );
  });

  test('where what listens says a byte at a time, for ever', async (t) => {
    const port = await listen(
      t,
      createServer((socket) => {
        // The beginning of a handshake record that is never whole.
        const bytes = Buffer.from([0x16, 0x03, 0x03, 0x3f, 0xff, 0x02]);
        let next = 0;
        const timer = setInterval(() => socket.write(bytes.subarray(next, ++next)), 100);
        socket.on('close', () => {
          clearInterval(timer);
        });
      }),
    );
    await unanswered(nodeWith(t), [`127.0.0.1:${String(port)}`], /shows no certificate: no answer;/);
  });

  test('where the connection is cut', async (t) => {
    const cut = await listen(
      t,
      createServer((socket) => socket.destroy()),
    );
    const reset = await listen(
      t,
      createServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
    );
    const addresses = [cut, reset].map((port) => `127.0.0.1:${String(port)}`);
    await unanswered(nodeWith(t), addresses, /shows no certificate: connection reset;/);
  });

  for (const [what, text] of [
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ] as const) {
    test(`where ${what} is spoken`, async (t) => {
      const port = await listen(
        t,
        createServer((socket) => socket.end(text)),
      );
      await unanswered(nodeWith(t), [`127.0.0.1:${String(port)}`], /shows no certificate: no TLS \(\w+\);/);
    });
  }

  test('where only a TLS is spoken that no client of Kubernetes takes, or without a certificate', async (t) => {
    const made = bed(t);
    if (made === undefined) return;
    const { openssl, tree, leaf } = made;
    const ports = [
      await opensslServer(t, openssl, files(leaf), ['-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0']),
      await opensslServer(t, openssl, files(leaf), ['-tls1_2', '-cipher', 'aNULL:@SECLEVEL=0']),
    ];
    const addresses = ports.map((port) => `127.0.0.1:${String(port)}`);
    await unanswered(tree, addresses, /shows no certificate: TLS is refused \(\w+\);/);
  });

  test('where the name is unknown', async (t) => {
    await unanswered(
      nodeWith(t),
      ['no-such-host.invalid:6443'],
      /shows no certificate: (?:unknown host|no answer from a name server);/,
    );
  });

  test('where no name server answers: neither it nor the end of the process is waited for', async (t) => {
    const tree = nodeWith(t);
    const began = performance.now();
    const { stdout, code } = await kubepki(
      ['verify', '--rootfs', tree.directory, '--endpoint', 'silent.example.com:6443'],
      { programs: programs(t, 'exec sleep 60') },
    );
    assert.match(stdout, /shows no certificate: no answer from a name server;/);
    assert.equal(code, 1);
    assert.ok(performance.now() - began < 30_000);
  });
});

test('a certificate that cannot be read is not called none', async (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const served = join(temporaryDirectory(t), 'served');
  const made = await runProgram(openssl, [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=y', '-days', '3'],
    // An IP address of three bytes.
    ...['-addext', 'subjectAltName=DER:30:05:87:03:01:02:03'],
    ...['-keyout', `${served}.key`, '-out', `${served}.crt`],
  ]);
  assert.equal(made.code, 0, made.stderr);
  const port = await opensslServer(t, openssl, files(served));
  const { stdout, code } = await kubepki([
    ...['verify', '--rootfs', nodeWith(t).directory, '--endpoint', `127.0.0.1:${String(port)}`],
  ]);
  assert.match(
    stdout,
    /shows no certificate: what it shows cannot be read \(its X\.509 extension subjectAltName/,
  );
  assert.equal(code, 1);
});

test('a name is found as the other programs of the machine find it, and each of its addresses is asked', async (t) => {
  const made = bed(t);
  if (made === undefined) return;
  const port = await opensslServer(t, made.openssl, files(made.leaf));
  const { stdout } = await kubepki(
    [
      'verify',
      '--rootfs',
      made.tree.directory,
      '--endpoint',
      `balancer.example.com:${String(port)},kubernetes`,
    ],
    { programs: programs(t, 'printf "::1 STREAM\\n127.0.0.1 STREAM\\n"') },
  );
  assert.match(stdout, /^OK +live-answers /m);
});

/** A directory with a `getent` that does so. */
function programs(t: TestContext, line: string): string {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'getent'), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  return directory;
}

test('each address is judged by itself, in the order in which they were given', async (t) => {
  const made = bed(t);
  if (made === undefined) return;
  const { openssl, tree, leaf } = made;
  const [closed = 0] = await freePorts(1);
  const right = await opensslServer(t, openssl, files(leaf));
  const mute = await listen(t, createServer());
  const { stdout, live, code } = await verifyLive(
    tree,
    ...[closed, right, mute].flatMap((port) => ['--endpoint', `127.0.0.1:${String(port)}`]),
    ...['--endpoint', `127.0.0.1:${String(right)},wrong.example.com`],
  );
  assert.deepEqual(live, ['UNCHECKED live-answers', 'UNCHECKED live-answers', 'ERROR live-valid'], stdout);
  assert.equal(code, 5);
  const [first, second] = stdout.split('\n').filter((line) => line.startsWith('UNCHECKED'));
  assert.match(first ?? '', new RegExp(`127\\.0\\.0\\.1:${String(closed)}: .*connection refused`));
  assert.match(second ?? '', new RegExp(`127\\.0\\.0\\.1:${String(mute)}: .*no answer`));
});
