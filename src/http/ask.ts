import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';

/** The server, and the connection to it. `protocol` is `https:` or `http:`. */
export type Target = RequestOptions & { readonly protocol: string };

export interface Question {
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The time for all of it: the connection, TLS, the answer to its last byte. */
  readonly mostMs: number;
  /** The largest body that is read. `none`: the body is not read, and the connection is closed. */
  readonly mostBytes: number | 'none';
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The error for an answer that is too large. It was not read to its end. */
export class TooLarge extends Error {
  constructor(mostBytes: number) {
    super(`its answer is larger than ${sizeText(mostBytes)}`);
  }
}

/** The error where no answer comes, with a code as node's own errors have. */
class NoAnswer extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The error where the time is over before the end of the answer. */
export class NotInTime extends NoAnswer {
  readonly mostMs: number;

  constructor(mostMs: number) {
    super('ETIMEDOUT', 'no answer');
    this.mostMs = mostMs;
  }
}

/**
 * Asks a server once, through no proxy, and follows no redirect. Whatever the server does, the promise settles within the time, with
 * no more than `mostBytes` in memory. A promise that did not would let node end in the middle of the work, with nothing said.
 * @throws TooLarge, NotInTime, another Error with a `code` of node's, or the reason of the signal
 */
export function ask(target: Target, { body, signal, mostMs, mostBytes }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const outgoing = (target.protocol === 'https:' ? httpsRequest : httpRequest)(target);
    const settle = (): void => {
      clearTimeout(limit);
      signal?.removeEventListener('abort', callOff);
    };
    const fail = (error: Error): void => {
      settle();
      outgoing.destroy();
      reject(error);
    };
    // The listener of node's own option may stay with a signal that outlives many requests.
    const callOff = (): void => {
      fail(signal?.reason as Error);
    };
    signal?.addEventListener('abort', callOff);
    // A timer keeps the process alive, which AbortSignal.timeout does not.
    const limit = setTimeout(() => {
      fail(new NotInTime(mostMs));
    }, mostMs);
    const succeed = (answer: Answer): void => {
      settle();
      resolve(answer);
    };
    // With these two events node hands the connection over. Without a listener it would close the connection, and say nothing.
    const refuse = ({ statusCode = 0 }: IncomingMessage, connection: Duplex): void => {
      connection.destroy();
      fail(new NoAnswer('EPROTOCOL', `it wants to speak something else than HTTP (${String(statusCode)})`));
    };
    outgoing.on('upgrade', refuse);
    outgoing.on('connect', refuse);
    // Node itself passes over interim answers (`100 Continue`, `103 Early Hints`).
    let hasAnswered = false;
    outgoing.on('response', (response) => {
      hasAnswered = true;
      response.on('error', fail);
      if (mostBytes === 'none') {
        succeed({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.alloc(0) });
        outgoing.destroy();
      } else collect(response, mostBytes, { succeed, fail });
    });
    outgoing.on('error', fail);
    outgoing.on('close', () => {
      // After the head of an answer the response tells how it ended, which may be later than this event.
      if (!hasAnswered) fail(closed());
    });
    outgoing.end(body);
  });
}

function collect(
  response: IncomingMessage,
  mostBytes: number,
  { succeed, fail }: { readonly succeed: (answer: Answer) => void; readonly fail: (error: Error) => void },
): void {
  const { statusCode: status = 0, headers } = response;
  // A body that is announced as too large need not be read.
  if (Number(headers['content-length'] ?? 0) > mostBytes) {
    fail(new TooLarge(mostBytes));
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > mostBytes) {
      chunks.length = 0;
      fail(new TooLarge(mostBytes));
    } else chunks.push(chunk);
  });
  response.on('end', () => {
    succeed({ status, headers, body: Buffer.concat(chunks) });
  });
  // The answer was cut off before its end. After `end`, these events change nothing.
  response.on('aborted', () => {
    fail(closed());
  });
  response.on('close', () => {
    fail(closed());
  });
}

function closed(): NoAnswer {
  return new NoAnswer('ECONNRESET', 'the connection was closed before the end of the answer');
}

function sizeText(bytes: number): string {
  const mebibytes = bytes / (1024 * 1024);
  return mebibytes >= 1 ? `${String(mebibytes)} MiB` : `${String(bytes / 1024)} KiB`;
}
