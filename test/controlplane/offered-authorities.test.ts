import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { offeredAuthorities } from '../../src/controlplane/offered-authorities.ts';
import { NoFlight, ServerFlight } from '../../src/controlplane/server-flight.ts';
import { encodeCertificates } from '../../src/pki/certificate/certificate.ts';
import { attributesOf } from '../../src/pki/der/name.ts';
import { encodePrivateKey } from '../../src/pki/key/private-key.ts';
import { leafOf, newAuthority } from '../support/certificates/new-authority.ts';
import { oldAuthority } from '../support/certificates/old-authority.ts';
import { startEtcdCluster } from '../support/servers/etcd-cluster.ts';
import { serverFiles, type ServerFiles } from '../support/servers/server-files.ts';
import { gnutlsServer, opensslServer } from '../support/servers/tls-servers.ts';
import { judge } from '../support/judge.ts';
import { runProgram } from '../support/program.ts';
import fc from '../support/properties.ts';

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function offered(port: number, mostMs?: number): Promise<readonly string[] | undefined> {
  return offeredAuthorities({ host: '127.0.0.1', port, serverName: 'node.test' }, mostMs).then(
    ({ authorities }) => authorities?.map((name) => attributesOf(name).join(', ')),
  );
}

/** The same by openssl's client. */
async function offeredToOpenssl(
  openssl: string,
  port: number,
  files?: ServerFiles,
): Promise<readonly string[] | undefined> {
  const { stdout } = await runProgram(openssl, [
    ...['s_client', '-tls1_2', '-connect', `127.0.0.1:${String(port)}`, '-nameopt', 'RFC2253,-esc_msb,utf8'],
    ...(files === undefined ? [] : ['-cert', files.certificate, '-key', files.key]),
  ]);
  if (stdout.includes('No client certificate CA names sent')) return undefined;
  const [, list] =
    /^Acceptable client certificate CA names\n([^]*?)^(?:Requested|Client Certificate)/m.exec(stdout) ?? [];
  assert.ok(list !== undefined, stdout);
  return list.trimEnd().split('\n');
}

describe('the names are those that openssl is offered', () => {
  for (const key of ['rsa:2048', 'P-256'] as const) {
    for (const count of [1, 2, 150]) {
      test(`${String(count)}, by openssl, GnuTLS and node, with ${key}`, async (t) => {
        const [openssl, gnutls] = [judge(t, 'openssl'), judge(t, 'gnutls-serv')];
        if (openssl === undefined || gnutls === undefined) return;
        const server = oldAuthority(openssl, { key });
        const authorities = Array.from(
          { length: count },
          (_, index) => newAuthority(`kubernetes-2026${String(index)}`).certificate,
        );
        const files = serverFiles(t, server, authorities);
        const expected = authorities.map(({ subject }) => attributesOf(subject).join(', '));
        const node = createTlsServer({
          cert: encodeCertificates([server.certificate]),
          key: encodePrivateKey(server.key),
          ca: encodeCertificates(authorities),
          requestCert: true,
          rejectUnauthorized: false,
        }).on('tlsClientError', () => undefined);
        const ports = {
          openssl: await opensslServer(t, openssl, files, ['-CAfile', files.ca, '-Verify', '1']),
          gnutls: await gnutlsServer(t, gnutls, files, ['--x509cafile', files.ca, '--require-client-cert']),
          node: await listen(t, node),
        };
        for (const [program, port] of Object.entries(ports)) {
          const names = await offered(port);
          assert.deepEqual([...(names ?? [])].sort(), [...expected].sort(), program);
          assert.deepEqual(names, await offeredToOpenssl(openssl, port), program);
        }
      });
    }
  }
});

test('etcd offers the CAs that it has read at its start', async (t) => {
  const [openssl, etcd] = [judge(t, 'openssl'), judge(t, 'etcd')];
  if (openssl === undefined || etcd === undefined) return;
  const [old, next] = [newAuthority('etcd-ca'), newAuthority('etcd-ca-20261129')];
  const files = serverFiles(t, leafOf(old), [old.certificate, next.certificate]);
  const cluster = await startEtcdCluster(
    etcd,
    ['etcd-server', 'etcd-peer'].map((name) => ({ name, ...files })),
    1,
  );
  t.after(() => cluster.stop());
  for (const url of [...cluster.endpoints, ...cluster.peers]) {
    const port = Number(new URL(url).port);
    assert.deepEqual(await offered(port), ['CN=etcd-ca', 'CN=etcd-ca-20261129']);
    assert.deepEqual(await offeredToOpenssl(openssl, port, files), await offered(port));
  }
});

describe('a server that', () => {
  const speaking = (text: string | Buffer) =>
    createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(text));
    });

  test('asks for no certificate', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const files = serverFiles(t, oldAuthority(openssl), []);
    assert.equal(await offered(await opensslServer(t, openssl, files)), undefined);
  });

  test('asks for one of any CA', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const port = await opensslServer(t, openssl, serverFiles(t, oldAuthority(openssl), []), ['-Verify', '1']);
    assert.deepEqual(await offered(port), []);
  });

  test('speaks TLS 1.3 only', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const port = await opensslServer(t, openssl, serverFiles(t, oldAuthority(openssl), []), ['-tls1_3']);
    await assert.rejects(offered(port), { message: 'TLS 1.2 is refused (alert 70)' });
  });

  test('speaks no TLS', async (t) => {
    const port = await listen(t, speaking('HTTP/1.0 400 Bad Request\r\n\r\n'));
    await assert.rejects(offered(port), { message: 'no TLS' });
  });

  test('closes the connection', async (t) => {
    const message = 'the connection was closed in the middle of the TLS handshake';
    for (const text of ['', Buffer.from('160303', 'hex')]) {
      await assert.rejects(offered(await listen(t, speaking(text))), { message });
    }
  });

  test('says nothing, or without an end', async (t) => {
    const silent = createServer((socket) => {
      socket.on('error', () => undefined).resume();
    });
    await assert.rejects(offered(await listen(t, silent), 100), { message: 'no answer' });
    const endless = createServer((socket) => {
      socket.on('error', () => undefined);
      // ServerHello, and then Certificate without end.
      socket.write(
        record(Buffer.concat([message(2, Buffer.from('0303', 'hex')), Buffer.from('0bffffff', 'hex')])),
      );
      const more = (): void => {
        while (!socket.destroyed && socket.write(record(Buffer.alloc(16_000))));
      };
      socket.on('drain', more);
      more();
    });
    await assert.rejects(offered(await listen(t, endless)), { message: 'its TLS handshake is too long' });
  });

  test('is not there', async () => {
    await assert.rejects(offered(1), { code: 'ECONNREFUSED' });
  });
});

function message(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  header.writeUInt8(type);
  return Buffer.concat([header, body]);
}

function record(fragment: Buffer, type = 22): Buffer {
  const header = Buffer.from([type, 3, 3, 0, 0]);
  header.writeUInt16BE(fragment.length, 3);
  return Buffer.concat([header, fragment]);
}

describe('the bytes of a stranger', () => {
  const names = [Buffer.from('30093107', 'hex'), Buffer.from('3000', 'hex')];
  const sized = (content: Buffer): Buffer => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(content.length);
    return Buffer.concat([length, content]);
  };
  const request = Buffer.concat([
    Buffer.from('02014000020403', 'hex'),
    sized(Buffer.concat(names.map(sized))),
  ]);
  const flight = Buffer.concat([
    message(2, Buffer.from('0303', 'hex')),
    message(11, Buffer.alloc(40)),
    message(12, Buffer.alloc(7)),
    message(13, request),
    message(14, Buffer.alloc(0)),
  ]);

  test('are read in pieces of any size, in records of any size', () => {
    const positive = fc.integer({ min: 1, max: 50 });
    fc.assert(
      fc.property(positive, positive, (recordSize, pieceSize) => {
        const bytes = Buffer.concat(slices(flight, recordSize).map((one) => record(one)));
        const reader = new ServerFlight();
        const found = slices(bytes, pieceSize)
          .map((piece) => reader.read(piece))
          .find((asked) => asked !== undefined);
        assert.deepEqual(found, { authorities: names });
      }),
    );
  });

  test('are understood, or refused, or more are waited for; whatever they are', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
    const read = (bytes: Buffer): void => {
      try {
        new ServerFlight().read(bytes);
      } catch (error) {
        assert.ok(error instanceof NoFlight, String(error));
      }
    };
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(), (changes, length) => {
        const bytes = record(flight);
        for (const { at, byte } of changes) bytes.writeUInt8(byte, at % bytes.length);
        read(bytes);
        read(bytes.subarray(0, length % bytes.length));
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        read(Buffer.from(bytes));
        read(record(Buffer.from(bytes)));
        read(
          record(Buffer.concat([message(2, Buffer.from('0303', 'hex')), message(13, Buffer.from(bytes))])),
        );
      }),
      { numRuns: 500 },
    );
  });

  const greeting = message(2, Buffer.from('0303', 'hex'));
  for (const [what, bytes, says] of [
    ['an older TLS', record(message(2, Buffer.from('0302', 'hex'))), 'no TLS 1.2'],
    ['a request before the greeting', record(message(13, request)), 'its TLS handshake is not understood'],
    ['a second greeting', record(Buffer.concat([greeting, greeting])), 'its TLS handshake is not understood'],
    ['an alert', record(Buffer.from([2, 40]), 21), 'TLS 1.2 is refused (alert 40)'],
    ['an empty record', record(Buffer.alloc(0)), 'no TLS'],
    [
      'names that end beyond their list',
      record(Buffer.concat([greeting, message(13, Buffer.from('010100020403000300ff30', 'hex'))])),
      'its TLS handshake is not understood',
    ],
    [
      'something behind the names',
      record(Buffer.concat([greeting, message(13, Buffer.from('0101000204030000ff', 'hex'))])),
      'its TLS handshake is not understood',
    ],
  ] as const) {
    test(`${what}: ${says}`, () => {
      assert.throws(() => new ServerFlight().read(bytes), { message: says });
    });
  }
});

function slices(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}
