/**
 * A stand-in for the part of a kubelet that has to do with certificates: it tells the API server of its node, and is asked by it. At its
 * start it reads kubelet.conf with its CA, its client certificate, and the CA names that it offers in the handshake; the CAs by which
 * it judges who asks it are read as they change.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { identityByCertificate } from './access.ts';
import { ApiClient } from './api-client.ts';
import { certificatesIn } from './pem.ts';
import { watchFiles } from './watched-file.ts';

const name = process.env['NODE_NAME'] ?? '';
const pair = process.env['SELF_SIGNED'] ?? '';
const config = parse(readFileSync('/var/lib/kubelet/config.yaml', 'utf8')) as {
  readonly address: string;
  readonly authentication: { readonly x509: { readonly clientCAFile: string } };
};
const port = 10_250;
const beatMs = 1000;
const mighty = ['system:masters', 'kubeadm:cluster-admins'];

const api = new ApiClient(`kubelet ${name}`, '/etc/kubernetes/kubelet.conf', process.env['REQUESTS']);
const caFile = config.authentication.x509.clientCAFile;
const offered = readFileSync(caFile);
const roots = { current: certificatesIn(offered) };
watchFiles(
  [caFile],
  ([pem]) => {
    const found = certificatesIn(pem ?? '');
    if (found.length > 0) roots.current = found;
  },
  (error) => {
    console.error(String(error));
  },
);

const server = createServer(
  {
    ...{ cert: readFileSync(`${pair}.crt`), key: readFileSync(`${pair}.key`), ca: offered },
    ...{ requestCert: true, rejectUnauthorized: false },
  },
  (request, response) => {
    const identity = identityByCertificate(request.socket, roots.current);
    // Who is not known may not ask, and neither may who is known and has no rights.
    if (typeof identity !== 'object') response.writeHead(401).end('Unauthorized');
    else if (!identity.groups.some((group) => mighty.includes(group)))
      response.writeHead(403).end('Forbidden');
    else response.end('ok');
  },
);
server.on('tlsClientError', () => undefined);
server.listen(port, config.address);

void (async () => {
  for (;;) {
    const next = pause(beatMs);
    api.reconnect();
    await beat().catch((error: unknown) => {
      console.error(String(error));
    });
    // On a busy machine an answer may take longer, and is waited for.
    await next;
  }
})();

/** Says that its node is Ready; where the node is not known yet, says who it is first. */
async function beat(): Promise<void> {
  const tell = (): Promise<unknown> => api.ask('PATCH', `/api/v1/nodes/${name}/status`, { status: status() });
  if ((await tell()) !== undefined) return;
  await api.ask('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name } });
  await tell();
}

function status(): object {
  const now = new Date().toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now };
  return {
    addresses: [
      { type: 'InternalIP', address: config.address },
      { type: 'Hostname', address: name },
    ],
    conditions: [{ ...ready, message: 'kubelet is posting ready status', lastTransitionTime: now }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
    nodeInfo: { kubeletVersion: 'v1.34.0' },
  };
}
