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
  /** The name that is asked for (SNI); undefined: none. */
  readonly serverName?: string | undefined;
}

/** What node's types say of it is less: the last one has no issuer where that did not come with it. */
interface Shown {
  readonly raw: Buffer;
  readonly issuerCertificate?: Shown;
}

/**
 * The certificates that a server shows in a TLS handshake, the leaf first: DER, unchecked, as they are what is to be judged.
 * @throws Error of node:net or node:tls when there is no handshake
 */
export function servedCertificates(
  { host, port, identity, serverName }: TlsEndpoint,
  timeoutMs = 5000,
): Promise<readonly [Buffer, ...Buffer[]]> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      rejectUnauthorized: false,
      ...(serverName === undefined ? {} : { servername: serverName }),
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
      const shown: Shown = socket.getPeerCertificate(true);
      const chain: [Buffer, ...Buffer[]] = [shown.raw];
      // The last one is its own issuer, where that came with it.
      for (let one = shown; one.issuerCertificate !== undefined && one.issuerCertificate !== one;) {
        one = one.issuerCertificate;
        chain.push(one.raw);
      }
      end();
      resolve(chain);
    });
    socket.on('error', (error: Error) => {
      end();
      reject(error);
    });
  });
}
