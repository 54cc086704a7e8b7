import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { probe } from '../../src/controlplane/probe.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { judge } from '../support/judge.ts';
import { temporaryDirectory } from '../support/tree.ts';

const base = { host: '127.0.0.1', timeoutMs: 5000 };
const http = { ...base, kind: 'http', scheme: 'http', path: '/livez', headers: [] } as const;

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function answering(listener: RequestListener): Server {
  return createHttpServer(listener);
}

describe('a probe judges as the kubelet does', () => {
  for (const [status, expected] of [
    [200, 'healthy'],
    [204, 'healthy'],
    [302, 'healthy'],
    [399, 'healthy'],
    [401, 'unhealthy'],
    [403, 'unhealthy'],
    [404, 'unhealthy'],
    [500, 'unhealthy'],
    [503, 'unhealthy'],
  ] as const) {
    test(`HTTP ${String(status)} is ${expected}`, async (t) => {
      const port = await listen(
        t,
        answering((_, response) => {
          response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
        }),
      );
      assert.deepEqual(await probe({ ...http, port }), {
        state: expected,
        answer: `HTTP ${String(status)}`,
        status,
      });
    });
  }

  test('path and headers are those of the manifest', async (t) => {
    let seen: unknown;
    const port = await listen(
      t,
      answering(({ url, headers }, response) => {
        seen = [url, headers['x-key']];
        response.end();
      }),
    );
    const result = await probe({ ...http, port, path: '/health?exclude=NOSPACE', headers: [['X-Key', 'v']] });
    assert.equal(result.state, 'healthy');
    assert.deepEqual(seen, ['/health?exclude=NOSPACE', 'v']);
  });

  test('HTTPS, whatever the certificate', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const pair = join(temporaryDirectory(t), 'pair');
    const args = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=elsewhere -days 1';
    execFileSync(openssl, ['req', ...args.split(' '), '-keyout', `${pair}.key`, '-out', `${pair}.crt`], {
      stdio: 'ignore',
    });
    const server = createHttpsServer(
      { cert: readFileSync(`${pair}.crt`), key: readFileSync(`${pair}.key`) },
      (_, response) => response.end('ok'),
    );
    const port = await listen(t, server);
    assert.equal((await probe({ ...http, scheme: 'https', port })).answer, 'HTTP 200');
    // A server that speaks TLS is there, and is not what was asked for.
    assert.equal((await probe({ ...http, port })).state, 'unhealthy');
  });

  test('nobody listens: down', async () => {
    const [port = 0] = await freePorts(1);
    const down = { state: 'down', answer: 'connection refused' };
    assert.deepEqual(await probe({ ...http, port }), down);
    assert.deepEqual(await probe({ ...http, scheme: 'https', port }), down);
    assert.deepEqual(await probe({ ...base, kind: 'tcp', port }), down);
  });

  test('a connection that is cut is no proof of being down', async (t) => {
    const port = await listen(
      t,
      createServer((socket) => socket.destroy()),
    );
    const reset = { state: 'unhealthy', answer: 'connection reset' };
    assert.deepEqual(await probe({ ...http, port }), reset);
    assert.deepEqual(await probe({ ...http, scheme: 'https', port }), reset);
    assert.deepEqual(await probe({ ...base, kind: 'tcp', port }), {
      state: 'healthy',
      answer: 'a connection',
    });
  });

  test('neither an answer nor a refusal: silent', async (t) => {
    const open = new Set<{ destroy(): unknown }>();
    const port = await listen(
      t,
      createServer((socket) => open.add(socket)),
    );
    t.after(() => {
      for (const socket of open) socket.destroy();
    });
    assert.deepEqual(await probe({ ...http, port, timeoutMs: 100 }), {
      state: 'silent',
      answer: 'no answer',
    });
  });

  test('a server that speaks no TLS is called so, without the file names of OpenSSL', async (t) => {
    const port = await listen(
      t,
      createServer((socket) => {
        socket.once('data', () => socket.end('no TLS here\n'));
      }),
    );
    const { state, answer } = await probe({ ...http, scheme: 'https', port });
    assert.equal(state, 'unhealthy');
    assert.match(answer, /^no TLS \(\w+\)$/);
  });
});

test('what is no answer of HTTP is unhealthy, and not waited for', async (t) => {
  for (const [text, said] of [
    [
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      'it wants to speak something else than HTTP (101)',
    ],
    ['HTTP/1.1 103 Early Hints\r\n\r\n', 'connection reset'],
    ['', 'connection reset'],
  ] as const) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(text));
    });
    const port = await listen(t, server);
    assert.deepEqual(await probe({ ...http, timeoutMs: 60_000, port }), { state: 'unhealthy', answer: said });
  }
});
