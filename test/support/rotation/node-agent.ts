import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { parse } from 'yaml';
import { identityByCertificate } from './components/access.ts';
import { credentialsOf, type Credentials } from './components/api-client.ts';
import { certificatesIn } from './components/pem.ts';
import { isDown, reasonOf, send } from './components/request.ts';
import type { Counter } from './counter.ts';
import type { NodePlace } from './roots.ts';

/** The part of a kubelet that has to do with certificates: it tells the API server of its node, and is asked by it. */
export interface NodeAgent {
  /** As `systemctl restart kubelet`: pods go on, and files that are read at its start are read again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface Running {
  readonly server: Server;
  readonly timers: readonly NodeJS.Timeout[];
  readonly sockets: Set<TLSSocket>;
}

const beatMs = 1000;
const lookMs = 300;
export const kubeletPort = 10_250;

/**
 * At its start it reads kubelet.conf with its CA, the client certificate, and the CA names that it offers in the handshake; the CAs
 * by which it judges who asks it are read as they change.
 */
export async function startNodeAgent(place: NodePlace, pair: string, counter: Counter): Promise<NodeAgent> {
  let running = await start(place, pair, counter);
  const stop = async (): Promise<void> => {
    for (const timer of running.timers) clearInterval(timer);
    const closed = once(running.server, 'close');
    running.server.close();
    for (const socket of running.sockets) socket.destroy();
    await closed;
  };
  return {
    stop,
    async restart() {
      await stop();
      running = await start(place, pair, counter);
    },
  };
}

async function start(place: NodePlace, pair: string, counter: Counter): Promise<Running> {
  const credentials = credentialsOf(join(place.root, 'etc/kubernetes/kubelet.conf'), place.root);
  const caFile = join(place.root, clientCaFile(place));
  const offered = readFileSync(caFile);
  const roots: { current: readonly X509Certificate[] } = { current: certificatesIn(offered) };
  const sockets = new Set<TLSSocket>();
  const server = createServer(
    {
      ...{ cert: readFileSync(`${pair}.crt`), key: readFileSync(`${pair}.key`), ca: offered },
      ...{ requestCert: true, rejectUnauthorized: false },
    },
    (request, response) => {
      const identity = identityByCertificate(request.socket, roots.current);
      const mayAsk = typeof identity === 'object' && identity.groups.some((group) => mighty.includes(group));
      // Who is not known may not ask, and neither may who is known and has no rights.
      response.statusCode = typeof identity !== 'object' ? 401 : mayAsk ? 200 : 403;
      response.end(['Unauthorized', 'Forbidden', 'ok'][[401, 403, 200].indexOf(response.statusCode)]);
    },
  );
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(kubeletPort, place.address);
  await once(server, 'listening');
  const timers = [
    setInterval(() => {
      const found = certificatesIn(readFileSync(caFile));
      if (found.length > 0) roots.current = found;
    }, lookMs),
    setInterval(() => {
      void beat(place, credentials, counter);
    }, beatMs),
  ];
  await beat(place, credentials, counter);
  return { server, timers, sockets };
}

const mighty = ['system:masters', 'kubeadm:cluster-admins'];

function clientCaFile({ root }: NodePlace): string {
  const text = readFileSync(join(root, 'var/lib/kubelet/config.yaml'), 'utf8');
  const config = parse(text) as {
    readonly authentication: { readonly x509: { readonly clientCAFile: string } };
  };
  return config.authentication.x509.clientCAFile;
}

/** Says that its node is Ready; where the node is not known yet, says who it is first. */
async function beat(place: NodePlace, credentials: Credentials, counter: Counter): Promise<void> {
  const { server, ca, certificate, key } = credentials;
  const common = { agent: false, ca, cert: certificate, key } as const;
  const at = `${server}/api/v1/nodes`;
  try {
    const patch = { ...common, method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' } };
    const tell = async (): Promise<number> =>
      (
        await send(`${at}/${place.name}/status`, {
          ...patch,
          body: JSON.stringify({ status: statusOf(place) }),
        })
      ).status;
    let status = await tell();
    if (status === 404) {
      const node = {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: place.name },
      };
      await send(at, {
        ...{ ...common, method: 'POST', headers: { 'content-type': 'application/json' } },
        body: JSON.stringify(node),
      });
      status = await tell();
    }
    if (status === 200) counter.ok();
    else if (status === 503) counter.down('HTTP 503');
    else counter.failed(`HTTP ${String(status)}`);
  } catch (error) {
    if (isDown(error)) counter.down(reasonOf(error));
    else counter.failed(reasonOf(error));
  }
}

function statusOf({ name, address }: NodePlace): object {
  const now = new Date().toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now };
  return {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    conditions: [{ ...ready, message: 'kubelet is posting ready status', lastTransitionTime: now }],
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    nodeInfo: { kubeletVersion: 'v1.34.0' },
  };
}
