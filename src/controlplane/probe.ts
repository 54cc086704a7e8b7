import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ask } from '../http/ask.ts';
import type { ProbeEndpoint } from '../operations/restart/plan-restart.ts';

export interface ProbeResult {
  readonly state: ProbeState;
  /** The answer in few words: `HTTP 403`, `connection refused`. */
  readonly answer: string;
  /** The status of HTTP. */
  readonly status?: number;
}

/**
 * - `healthy`: the kubelet would be content: an HTTP status from 200 to 399, or a connection where it asks for no more
 * - `unhealthy`: a program answers something else
 * - `down`: no program listens: the kernel refuses the connection
 * - `silent`: neither an answer nor a refusal comes, so a program may or may not run there
 */
type ProbeState = 'healthy' | 'unhealthy' | 'down' | 'silent';

/** Asks once, as the kubelet's prober does: no proxy, no redirect followed, no certificate checked. Never rejects. */
export function probe(endpoint: ProbeEndpoint): Promise<ProbeResult> {
  return endpoint.kind === 'tcp' ? tcp(endpoint) : http(endpoint);
}

function tcp({ host, port, timeoutMs }: ProbeEndpoint): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (result: ProbeResult): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve(result);
    };
    const limit = setTimeout(end, timeoutMs, { state: 'silent', answer: 'no answer' });
    socket.on('connect', () => {
      end({ state: 'healthy', answer: 'a connection' });
    });
    socket.on('error', (error) => {
      end(meaningOf(error));
    });
  });
}

async function http(endpoint: Extract<ProbeEndpoint, { readonly kind: 'http' }>): Promise<ProbeResult> {
  const { scheme, host, port, path, headers, timeoutMs } = endpoint;
  try {
    const { status } = await ask(
      {
        protocol: `${scheme}:`,
        host,
        port,
        path: path.startsWith('/') ? path : `/${path}`,
        agent: false,
        headers: { 'user-agent': 'kube-probe/kubepki', ...Object.fromEntries(headers) },
        rejectUnauthorized: false,
      },
      { mostMs: timeoutMs, mostBytes: 'none' },
    );
    const state = status >= 200 && status < 400 ? 'healthy' : 'unhealthy';
    return { state, answer: `HTTP ${String(status)}`, status };
  } catch (error) {
    return meaningOf(error);
  }
}

function meaningOf(error: unknown): ProbeResult {
  return { state: stateAfter(error), answer: connectionTrouble(error) };
}

/** Only a refused connection proves that no program listens. A connection that is reset, or speaks no TLS, reached a program. */
function stateAfter(error: unknown): ProbeState {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ECONNREFUSED') return 'down';
  const unreachable = ['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT'];
  return unreachable.includes(String(code)) ? 'silent' : 'unhealthy';
}

/** A certificate and its key, PEM. */
export interface TlsIdentity {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

interface TlsEndpoint {
  readonly host: string;
  readonly port: number;
  /** A server that wants a client certificate is shown this one. */
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
 * The certificates that a server shows in a TLS handshake, the leaf first: DER, and unchecked, as the caller judges them.
 * @throws Error of node:net or node:tls when there is no handshake
 */
export function servedCertificates(
  { host, port, identity, serverName }: TlsEndpoint,
  timeoutMs = 5000,
): Promise<readonly [Buffer, ...Buffer[]]> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
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

/** Why a server gave no answer, in few words. */
export function connectionTrouble(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'connection reset';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return 'no way there from here';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'unknown host';
    case 'ETIMEDOUT':
    case 'TimeoutError':
    case 'AbortError':
      return 'no answer';
    default:
      // OpenSSL's own message names its source files.
      return code === 'EPROTO' || code.startsWith('ERR_SSL_') ? `no TLS (${code})` : error.message;
  }
}

/** Whether the trouble may pass by itself, so that another try is worth it. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return passing.includes(code);
}

const passing = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'TimeoutError',
  'AbortError',
];
