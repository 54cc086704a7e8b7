import { connect, isIP } from 'node:net';
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';
import { KubepkiError } from '../errors/error.ts';
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
  /** A server that wants a client certificate is shown this one, if it can be used. */
  readonly identity: TlsIdentity | undefined;
  /** The name that is asked for (SNI), which an address cannot be (RFC 6066, 3); undefined: none. */
  readonly serverName?: string | undefined;
}

/** What node's types say of it is more: nothing may have come, and the last one has no issuer where that did not come with it. */
interface Shown {
  readonly raw?: Buffer;
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
      // Empty: none. Left out, bun would ask for the host.
      servername: serverName === undefined || isIP(serverName) !== 0 ? '' : serverName,
      ...(identity === undefined || !isUsable(identity)
        ? {}
        : { cert: identity.certificate, key: identity.key }),
    });
    const end = (): void => {
      clearTimeout(limit);
      socket.destroy();
    };
    const limit = setTimeout(() => {
      end();
      reject(new Error('no answer'));
    }, timeoutMs);
    const settle = (error: Error): void => {
      const [leaf, ...others] = shownBy(socket);
      end();
      if (leaf === undefined) reject(error);
      else resolve([leaf, ...others]);
    };
    socket.on('secureConnect', () => {
      settle(new Error('no certificate'));
    });
    // In TLS 1.2 a server shows its certificate first, and then refuses a client that has none.
    socket.on('error', settle);
  });
}

/**
 * The leaf first; nothing where the handshake has not come that far. Node leads from each certificate to one issuer: of two
 * certificates of the same intermediate CA, signed by different CAs, only the first is seen.
 */
function shownBy(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  // What node's types do not say: it is null where there is no connection.
  let one = socket.getPeerCertificate(true) as Shown | null | undefined;
  // The last one is its own issuer, where that came with it.
  for (let raw = one?.raw; raw !== undefined && !isAmong(chain, raw); raw = one?.raw) {
    chain.push(raw);
    one = one?.issuerCertificate;
  }
  return chain;
}

function isAmong(chain: readonly Buffer[], one: Buffer): boolean {
  return chain.some((other) => other.equals(one));
}

/** A certificate that is not its key's, or a key that is locked, must not hide what the server shows. */
function isUsable({ certificate, key }: TlsIdentity): boolean {
  try {
    createSecureContext({ cert: certificate, key });
    return true;
  } catch {
    return false;
  }
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
      if (/^ERR_SSL_.*(?:_ALERT_|UNSUPPORTED_PROTOCOL)/.test(code)) return `TLS is refused (${code})`;
      // OpenSSL's own message names its source files.
      return code === 'EPROTO' || code.startsWith('ERR_SSL_') ? `no TLS (${code})` : error.message;
  }
}

/** The same where a certificate was shown, and its caller could not read it. */
export function servedTrouble(error: unknown): string {
  return error instanceof KubepkiError
    ? `what it shows cannot be read (${error.message})`
    : connectionTrouble(error);
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
