import { connect } from 'node:net';
import { ask } from '../http/ask.ts';
import type { ProbeEndpoint } from '../operations/restart/plan-restart.ts';
import { connectionTrouble } from './connection-trouble.ts';

/** `status`: of HTTP. `answer`: what came, in few words, such as `HTTP 403` or `connection refused`. */
export interface ProbeResult {
  readonly state: ProbeState;
  readonly answer: string;
  readonly status?: number;
}

/**
 * - `healthy`: as the kubelet judges: an HTTP status from 200 to 399, or a connection where it asks for no more
 * - `unhealthy`: a program answers, and not so
 * - `down`: no program listens: the kernel refuses the connection
 * - `silent`: neither an answer nor a refusal; whether something runs there cannot be told
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

/** Only a refused connection proves that no program listens. One that is reset, or speaks no TLS, reached a program. */
function stateAfter(error: unknown): ProbeState {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ECONNREFUSED') return 'down';
  const unreachable = ['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT'];
  return unreachable.includes(String(code)) ? 'silent' : 'unhealthy';
}
