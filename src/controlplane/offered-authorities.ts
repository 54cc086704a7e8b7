import { connect, isIP } from 'node:net';
import { NoFlight, ServerFlight, type Asked } from './server-flight.ts';

interface Server {
  readonly host: string;
  readonly port: number;
  /** The name that is asked for (SNI); undefined: none. */
  readonly serverName?: string | undefined;
}

/**
 * The names of the CAs that a server offers its clients to choose a certificate by: kube-apiserver those of `--client-ca-file` and
 * `--requestheader-client-ca-file`, as it has them in memory. It is the only sign of the second, for a client of the front proxy's CA is
 * refused like any other whose name is not allowed. A name does not tell two CAs apart that have the same one.
 *
 * Node does not show the names. In TLS 1.2 they come in the clear (RFC 5246, 7.4.4), and the handshake is left there: nothing is proven
 * of who the server is, and nothing is sent to it.
 * @throws Error of node:net, or with what the server does instead
 */
export function offeredAuthorities(server: Server, mostMs = 5000): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: server.host, port: server.port });
    const end = (): void => {
      clearTimeout(limit);
      socket.destroy();
    };
    const fail = (error: Error): void => {
      end();
      reject(error);
    };
    const limit = setTimeout(fail, mostMs, new NoFlight('no answer'));
    const flight = new ServerFlight();
    socket.on('connect', () => {
      socket.write(clientHello(server.serverName));
    });
    socket.on('data', (bytes: Buffer) => {
      try {
        const asked = flight.read(bytes);
        if (asked === undefined) return;
        end();
        resolve(asked);
      } catch (error) {
        fail(error instanceof Error ? error : new NoFlight(String(error)));
      }
    });
    socket.on('error', fail);
    socket.on('close', () => {
      fail(new NoFlight('the connection was closed in the middle of the TLS handshake'));
    });
  });
}

// Those that OpenSSL, GnuTLS and Go (RFC 5289, RFC 7905, RFC 8422) have on for TLS 1.2; where a server is old, without (EC)DHE.
const cipherSuites = 'c02bc02fc02cc030cca9cca8c023c027c009c013c00ac014009c009d003c002f0035';
// x25519, P-256, P-384, P-521
const groups = '001d001700180019';
// ECDSA, RSA-PSS and RSA with SHA-256, -384 and -512; RSA and ECDSA with SHA-1, which old servers want to see.
const signatureAlgorithms = '04030503060308040805080604010501060102010203';

/**
 * RFC 5246, 7.4.1.2. It never comes to keys, so its random bytes need not be random. No extension says TLS 1.3 (RFC 8446, 4.2.1).
 */
function clientHello(serverName: string | undefined): Buffer {
  const hex = (text: string): Buffer => Buffer.from(text, 'hex');
  const isName = serverName !== undefined && isIP(serverName) === 0;
  const extensions = [
    ...(isName
      ? [extension(0, sized(2, Buffer.concat([Buffer.of(0), sized(2, Buffer.from(serverName))])))]
      : []),
    extension(10, sized(2, hex(groups))),
    // ec_point_formats: uncompressed
    extension(11, sized(1, Buffer.of(0))),
    extension(13, sized(2, hex(signatureAlgorithms))),
    // renegotiation_info (RFC 5746, 3.4): the first handshake
    extension(0xff01, sized(1, Buffer.alloc(0))),
  ];
  const body = Buffer.concat([
    Buffer.of(3, 3),
    Buffer.alloc(32, 'kubepki'),
    // no session to resume
    sized(1, Buffer.alloc(0)),
    sized(2, hex(cipherSuites)),
    // no compression
    sized(1, Buffer.of(0)),
    sized(2, Buffer.concat(extensions)),
  ]);
  const message = Buffer.concat([Buffer.of(1), sized(3, body)]);
  // A record of the version that every server reads (RFC 5246, E.1).
  return Buffer.concat([Buffer.of(22, 3, 1), sized(2, message)]);
}

function extension(type: number, content: Buffer): Buffer {
  const header = Buffer.alloc(2);
  header.writeUInt16BE(type);
  return Buffer.concat([header, sized(2, content)]);
}

function sized(lengthBytes: 1 | 2 | 3, content: Buffer): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([length, content]);
}
