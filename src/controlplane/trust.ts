import { isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { ask, type Answer } from '../http/ask.ts';
import type { ProbeCertificate } from '../operations/rotation/probe-certificate.ts';
import { connectionTrouble } from './probe.ts';

/** A server of the cluster, whose trust in a CA is asked for. */
export interface TrustingServer {
  readonly kind: TrustingKind;
  readonly host: string;
  readonly port: number;
  /** A name of its certificate, where that is not the host's. */
  readonly serverName?: string | undefined;
  /**
   * PEM: one of these CAs must have signed what the server shows, or it is a stranger, whose word counts for nothing. undefined: it shows
   * a certificate of no CA, as a kubelet does by default.
   */
  readonly authorities: Buffer | undefined;
}

type TrustingKind = keyof typeof requests | 'etcd';

export interface Trust {
  readonly trust: 'trusted' | 'refused' | 'unknown';
  /** The server's answer in a few words. */
  readonly why: string;
}

/** Probes of the two CAs; undefined where there is no key to make one. */
export interface Probes {
  readonly old: ProbeCertificate | undefined;
  readonly next: ProbeCertificate | undefined;
}

/** Requests that a client without rights is refused, by its name; or is told it. */
const requests = {
  // Of Kubernetes 1.28 and later. An older one refuses it, as no rule allows it, before it looks for it.
  'kube-apiserver': {
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
  },
  kubelet: { method: 'GET', path: '/healthz', body: undefined },
  // Their /healthz is open to everyone.
  'kube-controller-manager': { method: 'GET', path: '/metrics', body: undefined },
  'kube-scheduler': { method: 'GET', path: '/metrics', body: undefined },
} as const;

const maxAnswerBytes = 64 * 1024;

/**
 * Which of two CAs a running server trusts, by the certificates of clients that it takes. Each server of a cluster trusts one of them at
 * any stage of a rotation. So a server that refuses both says nothing of CAs: its clock may be wrong, or it is another cluster's.
 * @param mostMs for each question, of which there are two at most for each CA
 */
export async function trustOf(
  server: TrustingServer,
  probes: Probes,
  mostMs = 5000,
): Promise<{ readonly old: Trust; readonly next: Trust }> {
  const of = (probe: ProbeCertificate | undefined): Promise<Trust> | Trust =>
    probe === undefined
      ? { trust: 'unknown', why: 'there is no key of the CA here' }
      : shown(server, probe, mostMs);
  const [old, next] = await Promise.all([of(probes.old), of(probes.next)]);
  if (old.trust === 'trusted' || next.trust === 'trusted') return { old, next };
  return { old: doubted(old), next: doubted(next) };
}

function doubted({ trust, why }: Trust): Trust {
  return {
    trust: 'unknown',
    why: trust === 'refused' ? `${why}, and the other CA is not trusted either` : why,
  };
}

function shown(server: TrustingServer, probe: ProbeCertificate, mostMs: number): Promise<Trust> {
  return server.kind === 'etcd'
    ? byHandshake(server, probe, mostMs)
    : byRequest(server, requests[server.kind], probe, mostMs);
}

/**
 * Kubernetes asks for a certificate in TLS and takes any; it verifies it when a request comes. One of a CA that it does not trust fails the
 * request with 401 even where anonymous requests are allowed. But a server without any CA passes over certificates, and one that
 * allows anonymous requests then answers as if there were none. So its answer has to name the client, which only the certificate
 * does; or else the same request without a certificate must be refused.
 */
async function byRequest(
  server: TrustingServer,
  request: (typeof requests)[keyof typeof requests],
  probe: ProbeCertificate,
  mostMs: number,
): Promise<Trust> {
  const send = (identity: ConnectionOptions): Promise<Answer> =>
    ask(
      {
        ...connectionTo(server),
        ...identity,
        protocol: 'https:',
        method: request.method,
        path: request.path,
        agent: false,
        headers: request.body === undefined ? {} : { 'content-type': 'application/json' },
      },
      { body: request.body, mostMs, mostBytes: maxAnswerBytes },
    );
  try {
    const answer = await send({ cert: probe.certificate, key: probe.key });
    const why = `HTTP ${String(answer.status)}`;
    if (answer.status === 401) return { trust: 'refused', why };
    if (answer.body.includes(probe.commonName))
      return { trust: 'trusted', why: `${why} to ${probe.commonName}` };
    // Before a request is authenticated, a server may be too busy for it, or about to end.
    const isTaken = answer.status < 300 || answer.status === 403 || answer.status === 404;
    if (!isTaken) return { trust: 'unknown', why };
    const { status } = await send({});
    if (status === 401) return { trust: 'trusted', why: `${why}, and HTTP 401 without a certificate` };
    return { trust: 'unknown', why: `${why}, and HTTP ${String(status)} without a certificate` };
  } catch (error) {
    return { trust: 'unknown', why: connectionTrouble(error) };
  }
}

/**
 * Etcd verifies a certificate in the handshake. Any of its CA's is full access to all data, and so no request is sent: the handshake is the
 * proof. In TLS 1.3 a client is done before the server has verified it (RFC 8446, 2), so this is TLS 1.2, in which the server's last word
 * comes after (RFC 5246, 7.3). A server that takes a client without a certificate verifies none.
 */
async function byHandshake(server: TrustingServer, probe: ProbeCertificate, mostMs: number): Promise<Trust> {
  const withProbe = await handshake(server, { cert: probe.certificate, key: probe.key }, mostMs);
  if (withProbe !== 'done') return withProbe;
  const without = await handshake(server, {}, mostMs);
  if (without === 'done') return { trust: 'unknown', why: 'it takes a client without a certificate' };
  return without.trust === 'refused'
    ? { trust: 'trusted', why: 'the TLS handshake, which is refused without a certificate' }
    : without;
}

type Handshake = 'done' | Trust;

function handshake(server: TrustingServer, identity: ConnectionOptions, mostMs: number): Promise<Handshake> {
  return new Promise((resolve) => {
    const socket = connectTls({
      ...connectionTo(server),
      ...identity,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
    });
    const end = (result: Handshake): void => {
      clearTimeout(limit);
      resolve(result);
      socket.destroy();
    };
    const unknown = (why: string): void => {
      end({ trust: 'unknown', why });
    };
    const limit = setTimeout(unknown, mostMs, 'no answer');
    socket.on('secureConnect', () => {
      // A runtime that does not limit the version would make a proof of nothing.
      const version = socket.getProtocol();
      if (version === 'TLSv1.2') end('done');
      else unknown(`${String(version)}, which proves nothing`);
    });
    socket.on('error', (error: Error) => {
      const why = connectionTrouble(error);
      if (isCertificateRefused(error)) end({ trust: 'refused', why });
      else unknown(why);
    });
    socket.on('close', () => {
      unknown('connection reset');
    });
  });
}

/**
 * Servers have many words for a certificate that they do not trust, or for none (RFC 5246, 7.2.2): Go bad_certificate, and since 1.21
 * unknown_ca, OpenSSL handshake_failure, GnuTLS access_denied and decode_error. So any alert is a refusal, as the server takes the other
 * CA's certificate in the same moment, or it proves nothing. But these two would tell of something else.
 */
function isCertificateRefused(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : '';
  return /_ALERT_(?!PROTOCOL_VERSION|INTERNAL_ERROR)/.test(code);
}

function connectionTo({ host, port, serverName, authorities }: TrustingServer): ConnectionOptions {
  const name = serverName ?? host;
  return {
    host,
    port,
    // The name that is asked for, and looked for in the certificate. An address is not asked for (RFC 6066, 3), and looked for all the same.
    servername: isIP(name) === 0 ? name : '',
    ...(authorities === undefined
      ? { rejectUnauthorized: false }
      : // NODE_TLS_REJECT_UNAUTHORIZED in the environment has no say.
        { ca: authorities, rejectUnauthorized: true }),
  };
}
