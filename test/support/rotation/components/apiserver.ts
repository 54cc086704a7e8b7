/**
 * A stand-in for kube-apiserver, started with the words of its manifest. What it reads when, it takes from the reference
 * ("Who reloads what"): client-ca-file, requestheader-client-ca-file and the serving pair are watched; the certificates that it shows
 * to etcd, to kubelets and to extension servers are read for each connection; etcd-cafile and the keys of service accounts are
 * read at its start only. It keeps its objects in etcd, and so serves nobody without etcd.
 */
import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import { identityByCertificate, may, Tokens } from './access.ts';
import { Aggregation } from './aggregation.ts';
import { failure, unauthorized, type Answer, type Identity } from './answer.ts';
import { EtcdStore, EtcdTrouble } from './etcd-store.ts';
import { flagsOf } from './flags.ts';
import { askObjects } from './objects.ts';
import { certificatesIn } from './pem.ts';
import { reasonOf, send } from './request.ts';
import { discovery, placeOf, type Place } from './resources.ts';
import { watchFiles } from './watched-file.ts';

interface Serving {
  pair: { readonly cert: Buffer; readonly key: Buffer };
  clientCa: Buffer;
  requestHeaderCa: Buffer;
}

const flags = flagsOf(process.argv.slice(2));
const paths = {
  certificate: flags.need('tls-cert-file'),
  key: flags.need('tls-private-key-file'),
  clientCa: flags.need('client-ca-file'),
  requestHeaderCa: flags.need('requestheader-client-ca-file'),
};

// At its start only.
const store = new EtcdStore({
  url: flags.need('etcd-servers'),
  ca: flags.need('etcd-cafile'),
  certificate: flags.need('etcd-certfile'),
  key: flags.need('etcd-keyfile'),
});
const tokens = new Tokens(
  readFileSync(flags.need('service-account-key-file'), 'utf8'),
  createPrivateKey(readFileSync(flags.need('service-account-signing-key-file'))),
);

const serving: Serving = {
  pair: { cert: readFileSync(paths.certificate), key: readFileSync(paths.key) },
  clientCa: readFileSync(paths.clientCa),
  requestHeaderCa: readFileSync(paths.requestHeaderCa),
};
const roots: { current: readonly X509Certificate[] } = { current: certificatesIn(serving.clientCa) };

const server = createServer(
  { ...offered(), requestCert: true, rejectUnauthorized: false },
  (request, response) => {
    void handle(request, response);
  },
);

watchFiles(
  [paths.certificate, paths.key],
  ([cert, key]) => {
    if (cert === undefined || key === undefined) return;
    createSecureContext({ cert, key });
    serving.pair = { cert, key };
    takeUp();
  },
  log,
);
watchFiles(
  [paths.clientCa],
  ([ca]) => {
    serving.clientCa = requireCertificates(ca);
    roots.current = certificatesIn(serving.clientCa);
    takeUp();
  },
  log,
);
watchFiles(
  [paths.requestHeaderCa],
  ([ca]) => {
    serving.requestHeaderCa = requireCertificates(ca);
    takeUp();
  },
  log,
);

function requireCertificates(pem: Buffer | undefined): Buffer {
  if (pem === undefined || certificatesIn(pem).length === 0) throw new Error('the CA file is empty');
  return pem;
}

/** Whom it believes is decided with each request. The CAs are those that it names in the handshake. */
function offered(): { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer[] } {
  return { ...serving.pair, ca: [serving.clientCa, serving.requestHeaderCa] };
}

function takeUp(): void {
  server.setSecureContext(offered());
}

function log(error: unknown): void {
  console.error(reasonOf(error));
}

const aggregation = new Aggregation(store, {
  clientCa: () => serving.clientCa.toString(),
  requestHeaderCa: () => serving.requestHeaderCa.toString(),
  proxyCertificate: flags.need('proxy-client-cert-file'),
  proxyKey: flags.need('proxy-client-key-file'),
});
setInterval(() => {
  void aggregation.look().catch(log);
}, 1000);

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const answer = await answerTo(request, Buffer.concat(chunks).toString()).catch(troubled);
  const isText = typeof answer.body === 'string';
  response.writeHead(answer.status, { 'content-type': isText ? 'text/plain' : 'application/json' });
  response.end(isText ? answer.body : JSON.stringify(answer.body));
}

/** Who asks is told what is wrong with etcd, and so the clients that count know a restart from a refusal. */
function troubled(error: unknown): Answer {
  log(error);
  if (!(error instanceof EtcdTrouble)) return failure(500, 'InternalError', reasonOf(error));
  return failure(
    error.isDown ? 503 : 500,
    error.isDown ? 'ServiceUnavailable' : 'InternalError',
    error.message,
  );
}

async function answerTo(request: IncomingMessage, text: string): Promise<Answer> {
  const { method = 'GET', headers } = request;
  const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'https://server');
  if (/^\/(?:livez|readyz|healthz)(?:$|\/)/.test(path)) {
    await store.get('/registry/health');
    return { status: 200, body: 'ok' };
  }
  const identity = identityOf(request);
  attempts[identity === 'refused' ? 'error' : 'success'] += 1;
  if (identity === 'refused') return unauthorized;
  if (path === '/version') return { status: 200, body: { major: '1', minor: '34', gitVersion: 'v1.34.0' } };
  const place = placeOf(path);
  if (!may(identity, method, path, place)) {
    const message = `User "${identity.username}" cannot ${method.toLowerCase()} path "${path}"`;
    return failure(403, 'Forbidden', `forbidden: ${message}`);
  }
  const body = text === '' ? undefined : (JSON.parse(text) as unknown);
  const own = ownAnswer(method, path, { place, body, identity });
  if (own !== undefined) return own;
  if (place?.subresource === 'proxy') return throughKubelet(place, request.url ?? '');
  if (place === undefined)
    return (await aggregation.ask(path, identity)) ?? { status: 404, body: '404 page not found\n' };
  const contentType = headers['content-type'] ?? '';
  return askObjects(store, { method, place, query, contentType, body, identity });
}

/** By what became of finding out who asks, as kube-apiserver counts it since it was started. */
const attempts = { error: 0, success: 0 };

function metrics(): string {
  const counted = Object.entries(attempts).filter(([, count]) => count > 0);
  return [
    '# TYPE authentication_attempts counter',
    ...counted.map(([result, count]) => `authentication_attempts{result="${result}"} ${String(count)}`),
    '',
  ].join('\n');
}

const anonymous: Identity = { username: 'system:anonymous', groups: ['system:unauthenticated'] };

function identityOf(request: IncomingMessage): Identity | 'refused' {
  const byCertificate = identityByCertificate(request.socket, roots.current);
  if (typeof byCertificate === 'object') return byCertificate;
  const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  if (token !== undefined) return tokens.identity(token);
  return byCertificate === 'none' ? anonymous : 'refused';
}

interface Asked {
  readonly place: Place | undefined;
  readonly body: unknown;
  readonly identity: Identity;
}

/** What is not kept. */
function ownAnswer(method: string, path: string, { place, body, identity }: Asked): Answer | undefined {
  const found = method === 'GET' ? discovery(path) : undefined;
  if (found !== undefined) return { status: 200, body: found };
  if (path === '/metrics' && method === 'GET') return { status: 200, body: metrics() };
  if (path === '/openid/v1/jwks') return { status: 200, body: tokens.published() };
  if (
    /^\/apis\/authentication\.k8s\.io\/v1(?:beta1|alpha1)?\/selfsubjectreviews$/.test(path) &&
    method === 'POST'
  ) {
    const apiVersion = path.split('/').slice(2, 4).join('/');
    return {
      status: 201,
      body: { kind: 'SelfSubjectReview', apiVersion, metadata: {}, status: { userInfo: identity } },
    };
  }
  if (place?.subresource === 'token' && method === 'POST') {
    const { spec } = (body ?? {}) as { readonly spec?: { readonly expirationSeconds?: number } };
    const token = tokens.issue(place.namespace ?? '', place.name ?? '', spec?.expirationSeconds ?? 3600);
    return {
      status: 201,
      body: { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', status: { token } },
    };
  }
  return undefined;
}

interface NodeObject {
  readonly status: {
    readonly addresses: readonly { readonly type: string; readonly address: string }[];
    readonly daemonEndpoints: { readonly kubeletEndpoint: { readonly Port: number } };
  };
}

/** kubeadm gives no --kubelet-certificate-authority, so the kubelet's own certificate is not verified. */
async function throughKubelet(place: Place, url: string): Promise<Answer> {
  const node = await askObjects(store, {
    ...{ method: 'GET', query: new URLSearchParams(), contentType: '', body: undefined, identity: anonymous },
    place: { ...place, subresource: undefined },
  });
  if (node.status !== 200) return node;
  const { addresses, daemonEndpoints } = (node.body as NodeObject).status;
  const host = addresses.find(({ type }) => type === 'InternalIP')?.address ?? '';
  const query = url.includes('?') ? url.slice(url.indexOf('?')) : '';
  try {
    const { status, text } = await send(
      `https://${host}:${String(daemonEndpoints.kubeletEndpoint.Port)}/${place.rest}${query}`,
      {
        agent: false,
        rejectUnauthorized: false,
        cert: readFileSync(flags.need('kubelet-client-certificate')),
        key: readFileSync(flags.need('kubelet-client-key')),
      },
    );
    return { status, body: text };
  } catch (error) {
    return failure(503, 'ServiceUnavailable', `error trying to reach the kubelet: ${reasonOf(error)}`);
  }
}

process.on('SIGTERM', () => process.exit(0));
server.on('tlsClientError', () => undefined);
server.listen(Number(flags.need('secure-port')), flags.need('bind-address'));
