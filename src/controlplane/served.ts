import { connect } from 'node:tls';

/** PEM. */
export interface TlsIdentity {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

interface TlsEndpoint {
  readonly host: string;
  readonly port: number;
  /** What we show, where the server wants to see a certificate. */
  readonly identity: TlsIdentity | undefined;
}

const timeoutMs = 5000;

/**
 * The certificate that a server shows in a TLS handshake: DER, unchecked, as it is what is to be judged.
 * @throws Error of node:net or node:tls when there is no handshake
 */
export function servedCertificate({ host, port, identity }: TlsEndpoint): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      rejectUnauthorized: false,
      ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
    });
    const end = (): void => {
      clearTimeout(limit);
      socket.destroy();
    };
    const limit = setTimeout(() => {
      end();
      reject(new Error('no answer'));
    }, timeoutMs);
    socket.on('secureConnect', () => {
      const { raw } = socket.getPeerCertificate();
      end();
      resolve(raw);
    });
    socket.on('error', (error: Error) => {
      end();
      reject(error);
    });
  });
}
