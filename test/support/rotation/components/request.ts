import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { SecureContext } from 'node:tls';

export interface Reply {
  readonly status: number;
  readonly text: string;
}

export interface Question extends RequestOptions {
  readonly body?: string | undefined;
  readonly timeoutMs?: number;
  /** Instead of certificates and keys. */
  readonly secureContext?: SecureContext;
}

/** One request over HTTPS. @throws Error of node:tls, node:net, or a timeout */
export function send(url: string, { body, timeoutMs = 5000, ...options }: Question): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        clearTimeout(limit);
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
    });
    const limit = setTimeout(() => request.destroy(new Error('no answer in time')), timeoutMs);
    request.on('error', (error) => {
      clearTimeout(limit);
      reject(error);
    });
    request.end(body);
  });
}

/** In few words, and the same words for the same reason. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return code === '' || error.message.includes(code) ? error.message : `${code}: ${error.message}`;
}

/** The program at the other end is not there, or has just gone: that is what a restart looks like from outside. */
export function isDown(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (/socket hang up|disconnected before secure TLS/.test(error.message)) return true;
  // etcd reads its certificate and its key for each handshake. They are two files, and for a moment one of them is the new one.
  if (error.message.includes('alert internal error')) return true;
  // A server that is stopping, or starting on a busy machine, may answer late. One that refuses says so at once.
  if (error.message === 'no answer in time') return true;
  const code = 'code' in error ? error.code : undefined;
  return code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE';
}
