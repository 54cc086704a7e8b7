import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { LeafFiles } from '../certificates/certificates.ts';

/** Who asked for what. */
export interface SeenRequest {
  readonly path: string;
  /** Of the client certificate: its subject's common name and organisations, and its serial number (hex). */
  readonly commonName: string;
  readonly organisations: readonly string[];
  readonly serial: string;
}

export interface ApiServer {
  /** https URL on loopback. */
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  stop(): Promise<void>;
}

/**
 * Enough of a Kubernetes API server for `kubectl version` and `kubectl get --raw`, on loopback, with a node's apiserver
 * certificate. Like the real one it knows its clients by certificates of the cluster's CA; other than the real one it
 * talks to nobody else.
 */
export async function startApiServer(apiserver: LeafFiles): Promise<ApiServer> {
  const seen: SeenRequest[] = [];
  const server = createServer(
    {
      cert: readFileSync(apiserver.certificate),
      key: readFileSync(apiserver.key),
      ca: readFileSync(apiserver.ca),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      const path = request.url?.replace(/\?.*/, '') ?? '';
      if (!(request.socket instanceof TLSSocket)) throw new Error('not a TLS connection');
      const { subject, serialNumber } = request.socket.getPeerCertificate();
      seen.push({
        path,
        commonName: list(subject.CN).join(),
        organisations: list(subject.O),
        serial: serialNumber,
      });
      answer(path, response);
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    async stop() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

/** One organisation is a string, several are an array, none is undefined; the types know only the first. */
function list(attribute: string | readonly string[] | undefined): readonly string[] {
  return typeof attribute === 'string' ? [attribute] : (attribute ?? []);
}

function answer(path: string, response: ServerResponse): void {
  if (path === '/healthz') {
    response.end('ok');
    return;
  }
  response.setHeader('content-type', 'application/json');
  if (path === '/version') {
    response.end(JSON.stringify(version));
    return;
  }
  response.statusCode = 404;
  response.end(
    JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }),
  );
}

const version = {
  major: '1',
  minor: '32',
  gitVersion: 'v1.32.0',
  gitCommit: '0000000000000000000000000000000000000000',
  gitTreeState: 'clean',
  buildDate: '2024-12-11T17:59:15Z',
  goVersion: 'go1.23.3',
  compiler: 'gc',
  platform: 'linux/amd64',
};
