import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { ask, TooLarge, type Answer, type Question, type Target } from '../../src/http/ask.ts';

/** A server that says this to whoever asks, byte for byte. */
async function serverSaying(
  t: TestContext,
  say: (socket: Socket) => void,
): Promise<Target & { readonly open: () => number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.once('data', () => {
      say(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { protocol: 'http:', host: '127.0.0.1', port, agent: false, open: () => sockets.size };
}

const bounds: Question = { mostMs: 60_000, mostBytes: 1000 };

async function failure(answer: Promise<Answer>): Promise<Error & { readonly code?: string }> {
  const outcome = await answer.then(
    ({ status }) => `HTTP ${String(status)}`,
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof Error, String(outcome));
  return outcome;
}

describe('what a server may say instead of an answer', () => {
  for (const [title, text, code] of [
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      'EPROTOCOL',
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'HPE_INVALID_CONSTANT'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', undefined],
  ] as const) {
    test(title, async (t) => {
      const server = await serverSaying(t, (socket) => socket.write(text));
      // The server keeps the connection open: nothing but what it said can end this.
      const { code: found } = await failure(ask(server, bounds));
      if (code !== undefined) assert.equal(found, code);
    });
  }

  for (const [title, text] of [
    ['nothing', ''],
    ['half a head', 'HTTP/1.1 200 OK\r\nContent-'],
    ['a head alone', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'],
    ['less than it announced', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12345'],
    ['a chunk that is not the last', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n'],
    ['a hint, and no more', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
    ['"continue", and no more', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ] as const) {
    for (const how of ['closed', 'reset'] as const) {
      test(`${title}, and the connection ${how}`, async (t) => {
        const server = await serverSaying(t, (socket) => {
          socket.write(text, () => (how === 'closed' ? socket.end() : socket.resetAndDestroy()));
        });
        assert.equal((await failure(ask(server, bounds))).code, 'ECONNRESET');
      });
    }
  }

  test('hints without end are called off, and so is silence', async (t) => {
    for (const hint of ['HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', '']) {
      const server = await serverSaying(t, (socket) => {
        const timer = setInterval(() => socket.write(hint), 5);
        socket.on('close', () => {
          clearInterval(timer);
        });
      });
      assert.equal((await failure(ask(server, { ...bounds, mostMs: 100 }))).code, 'ETIMEDOUT');
    }
  });

  test('a body that never ends, byte by byte, is called off', async (t) => {
    const server = await serverSaying(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const timer = setInterval(() => socket.write('x'), 5);
      socket.on('close', () => {
        clearInterval(timer);
      });
    });
    assert.equal((await failure(ask(server, { ...bounds, mostMs: 100 }))).code, 'ETIMEDOUT');
  });

  test('a signal calls it off', async (t) => {
    const server = await serverSaying(t, (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nbegun'));
    const caller = new AbortController();
    const answer = failure(ask(server, { ...bounds, signal: caller.signal }));
    caller.abort();
    assert.equal((await answer).name, 'AbortError');
  });
});

describe('an answer', () => {
  test('may be 101 without another protocol: it has no body', async (t) => {
    const server = await serverSaying(t, (socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    );
    const { status, body } = await ask(server, bounds);
    assert.deepEqual([status, body.length], [101, 0]);
  });

  test('is whole: after hints, in chunks, or until the connection ends', async (t) => {
    for (const text of [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345',
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n2\r\n45\r\n0\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\n12345',
    ]) {
      const server = await serverSaying(t, (socket) => socket.end(text));
      const { status, body } = await ask(server, bounds);
      assert.deepEqual([status, body.toString()], [200, '12345']);
    }
  });

  test('may be as large as it may be, and no larger', async (t) => {
    const body = 'x'.repeat(1000);
    const saying = (headers: string, text: string): ReturnType<typeof serverSaying> =>
      serverSaying(t, (socket) => socket.end(`HTTP/1.1 200 OK\r\n${headers}\r\n\r\n${text}`));
    const exact = await saying('Content-Length: 1000', body);
    assert.equal((await ask(exact, bounds)).body.length, 1000);
    for (const server of [
      await saying('Content-Length: 1001', `${body}y`),
      await saying('X: y', `${body}y`),
      await saying('Transfer-Encoding: chunked', `3e8\r\n${body}\r\n1\r\ny\r\n0\r\n\r\n`),
      // Announced is enough.
      await saying('Content-Length: 99999999999', ''),
    ]) {
      const error = await failure(ask(server, bounds));
      assert.ok(error instanceof TooLarge, error.message);
    }
    const large = await failure(ask(exact, { ...bounds, mostBytes: 512 }));
    assert.equal(large.message, 'its answer is larger than 0.5 KiB');
  });

  test('that has no end is read no further than it may be', async (t) => {
    let sent = 0;
    const server = await serverSaying(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const more = (): void => {
        if (socket.destroyed) return;
        sent += 65_536;
        socket.write(Buffer.alloc(65_536, 'x'), more);
      };
      more();
    });
    assert.ok((await failure(ask(server, { ...bounds, mostBytes: 1024 * 1024 }))) instanceof TooLarge);
    // What is on its way is in the kernel's buffers, which are a few megabytes.
    assert.ok(sent < 64 * 1024 * 1024, String(sent));
  });

  test('of which only the head is wanted: the body is not waited for', async (t) => {
    const server = await serverSaying(t, (socket) => socket.write('HTTP/1.1 403 Forbidden\r\n\r\nand so on'));
    const { status, body } = await ask(server, { ...bounds, mostBytes: 'none' });
    assert.deepEqual([status, body.length], [403, 0]);
  });
});
