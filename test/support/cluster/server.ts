import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Pair } from './authority.ts';
import { recorded, type Recorded } from './transcript.ts';

/** Who asks, as the API server sees it. */
export interface Identity {
  readonly username: string;
  readonly groups: readonly string[];
}

export interface Asked {
  readonly method: string;
  /** Without a query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly headers: IncomingHttpHeaders;
  /** JSON, parsed; undefined: none. */
  readonly body: unknown;
  readonly identity: Identity;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is no string is sent as JSON. */
  readonly body: unknown;
}

/** A part of the API: answers what is its own, and passes over everything else. */
export type Api = (asked: Asked) => Answer | undefined;

/**
 * How the server can fail.
 *
 * - `mute`: takes the connection and never says a word, not even of TLS
 * - `hang`: never answers a request
 * - `half`: begins an answer and never ends it
 * - `reset`: cuts the connection when it is asked
 * - `upgrade`: 101, from now on something else than HTTP
 * - `endless`: an answer that goes on for ever, as fast as it is read
 */
export type Fault = 'mute' | 'hang' | 'half' | 'reset' | 'upgrade' | 'endless';

/**
 * How one request can fail, while others do not.
 *
 * - `hang`, `half`, `reset`, `upgrade`, `endless`: as above; the request is carried out where it is `half`
 * - `lost`: carried out, and the connection cut instead of an answer
 * - `gone`: from now on nobody listens, and every connection is cut; `back()` ends it
 * - an answer: given instead of carrying it out, such as 429 with `retry-after`
 */
export type RequestFault = Exclude<Fault, 'mute'> | 'lost' | 'gone' | Answer;

/** @param count of the requests that the server has seen, with this one: from 1 */
export type Faults = (asked: Asked, count: number) => RequestFault | undefined;

export interface ClusterServer {
  readonly port: number;
  readonly seen: readonly Asked[];
  /** Of all connections ever made, those that are still open. */
  readonly open: () => number;
  /** Nobody listens any more, and every connection is cut. */
  away(): Promise<void>;
  /** Listens again, where it did. */
  back(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerWishes {
  /** Where it listens; 127.0.0.1 if undefined. */
  readonly host?: string;
  /** PEM: whose client certificates are believed. */
  readonly ca: Buffer;
  /** The server's own. */
  readonly serving: Pair;
  /** Asked one after the other; what none of them knows is 404. */
  readonly apis: readonly Api[];
  /** Of every request, or connection. */
  readonly fault?: Fault;
  /** Of some requests. */
  readonly faults?: Faults;
}

/**
 * A kube-apiserver as far as was recorded from a real one. Like that, it asks for a client certificate, and judges it
 * with the request and not with the handshake: one that it does not believe is 401, none is system:anonymous.
 */
export async function startClusterServer(wishes: ServerWishes): Promise<ClusterServer> {
  const seen: Asked[] = [];
  const sockets = new Set<Socket>();
  const { ca, serving, fault, host = '127.0.0.1' } = wishes;
  const server =
    fault === 'mute'
      ? createServer()
      : createTlsServer(
          {
            cert: serving.certificate,
            key: serving.key,
            ca,
            requestCert: true,
            rejectUnauthorized: false,
          },
          (request, response) => {
            void handle(request, response, wishes, seen, away);
          },
        );
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    // A client that goes away is no failure of the server's.
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    if (fault === 'mute') socket.resume();
  });
  server.on('tlsClientError', () => undefined);
  const listen = async (at: number): Promise<void> => {
    server.listen(at, host);
    await once(server, 'listening');
  };
  async function away(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return { port, seen, open: () => sockets.size, away, back: () => listen(port), stop: away };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { apis, fault: always, faults }: ServerWishes,
  seen: Asked[],
  away: () => Promise<void>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const identity = identityOf(request.socket);
  const asked = {
    method: request.method ?? '',
    path: request.url?.replace(/\?.*/, '') ?? '',
    query: new URLSearchParams(request.url?.replace(/^[^?]*\??/, '')),
    accept: request.headers.accept ?? '',
    headers: request.headers,
    body: text === '' ? undefined : (JSON.parse(text) as unknown),
    identity: identity ?? { username: '', groups: [] },
  };
  seen.push(asked);
  const fault = always ?? faults?.(asked, seen.length);
  if (fault === 'hang') return;
  if (fault === 'gone') return away();
  if (fault === 'reset') {
    request.socket.destroy();
    return;
  }
  if (fault === 'upgrade') {
    request.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n');
    return;
  }
  if (fault === 'endless') {
    response.writeHead(200, { 'content-type': 'application/json' });
    const piece = Buffer.alloc(64 * 1024, ' ');
    const more = (): void => {
      if (!response.destroyed) response.write(piece, more);
    };
    more();
    return;
  }
  const answer =
    typeof fault === 'object' ? fault : identity === undefined ? unauthorized : answerOf(apis, asked);
  if (fault === 'lost') {
    request.socket.destroy();
    return;
  }
  const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
  if (fault === 'half') response.write(body.slice(0, body.length / 2));
  else response.end(body);
}

function answerOf(apis: readonly Api[], asked: Asked): Answer {
  for (const api of apis) {
    const answer = api(asked);
    if (answer !== undefined) return answer;
  }
  return { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found\n' };
}

const unauthorized: Answer = {
  status: 401,
  body: {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Unauthorized',
    reason: 'Unauthorized',
    code: 401,
  },
};

/** @returns undefined: a certificate that is not believed */
function identityOf(socket: Socket): Identity | undefined {
  if (!(socket instanceof TLSSocket)) throw new Error('not a TLS connection');
  const { subject } = socket.getPeerCertificate() as { readonly subject?: Readonly<Record<string, unknown>> };
  if (subject === undefined) return { username: 'system:anonymous', groups: ['system:unauthenticated'] };
  if (!socket.authorized) return undefined;
  const organisations = [subject['O'] ?? []].flat().map(String);
  return { username: String(subject['CN']), groups: [...organisations, 'system:authenticated'] };
}

/** What was recorded, as it is. */
export function asRecorded({ response }: Recorded): Answer {
  return response;
}

const configMapPath = recorded('the kubeadm-config ConfigMap').request.path;
const readers = ['system:masters', 'kubeadm:cluster-admins'];

/** RBAC as kubeadm sets it up, as far as these two need it. */
export function mayRead({ groups }: Identity): boolean {
  return groups.some((group) => readers.includes(group));
}

/**
 * The ConfigMap kubeadm-config: for whoever may read it as it was recorded, or with another ClusterConfiguration in it;
 * for everybody else the refusal that was recorded, with their name.
 */
export function kubeadmConfigMap(clusterConfiguration?: string): Api {
  return ({ method, path, identity }) => {
    if (method !== 'GET' || path !== configMapPath) return undefined;
    if (!mayRead(identity)) {
      const refusal = recorded('a user without rights reads the ConfigMap').response;
      const body = JSON.stringify(refusal.body).replaceAll('system:node:control-plane-1', identity.username);
      return { ...refusal, body };
    }
    const answer = asRecorded(recorded('the kubeadm-config ConfigMap'));
    if (clusterConfiguration === undefined) return answer;
    const body = answer.body as { readonly data: object };
    return { ...answer, body: { ...body, data: { ClusterConfiguration: clusterConfiguration } } };
  };
}

/** For every path the same, to whoever asks. */
export function always(answer: Answer): Api {
  return () => answer;
}
