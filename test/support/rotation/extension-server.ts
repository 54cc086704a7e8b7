import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { shownBy } from './components/access.ts';
import { certificatesIn, isTrustedClient } from './components/pem.ts';

export interface ExtensionServer {
  /** Reads the ConfigMap anew. */
  restart(): void;
  stop(): Promise<void>;
}

/** The ConfigMap extension-apiserver-authentication, as a server finds it. */
export interface Authentication {
  readonly uid: string;
  readonly requestHeaderCas: string;
}

export const extensionPort = 8443;

/**
 * An extension API server: it believes who comes with a certificate of the front proxy's CA, by the ConfigMap in the cluster. It
 * follows that as it changes, but when it has been deleted, it keeps what it had until it is restarted.
 */
export async function startExtensionServer(
  address: string,
  pair: string,
  read: () => Promise<Authentication | undefined>,
): Promise<ExtensionServer> {
  const trust: { uid: string | undefined; roots: readonly X509Certificate[] } = { uid: undefined, roots: [] };
  const look = async (): Promise<void> => {
    const found = await read().catch(() => undefined);
    if (found === undefined || (trust.uid !== undefined && trust.uid !== found.uid)) return;
    trust.uid = found.uid;
    trust.roots = certificatesIn(found.requestHeaderCas);
  };
  const server = createServer(
    {
      ...{ cert: readFileSync(`${pair}.crt`), key: readFileSync(`${pair}.key`) },
      ...{ requestCert: true, rejectUnauthorized: false },
    },
    (request, response) => {
      const shown = shownBy(request.socket);
      const isProxy = isTrustedClient(shown, trust.roots) && shown[0]?.subject === 'CN=front-proxy-client';
      response.writeHead(isProxy ? 200 : 401, { 'content-type': 'application/json' });
      const list = { kind: 'APIResourceList', groupVersion: 'metrics.k8s.io/v1beta1', resources: [] };
      response.end(JSON.stringify(isProxy ? list : { kind: 'Status', reason: 'Unauthorized', code: 401 }));
    },
  );
  server.on('tlsClientError', () => undefined);
  server.listen(extensionPort, address);
  await once(server, 'listening');
  const timer = setInterval(() => void look(), 700);
  return {
    restart() {
      trust.uid = undefined;
    },
    async stop() {
      clearInterval(timer);
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
