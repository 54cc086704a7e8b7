import type { IncomingHttpHeaders } from 'node:http';
import type { Agent } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import {
  type RequestContext,
  ResponseContext,
  SelfDecodingBody,
  wrapHttpLibrary,
  type HttpLibrary,
} from '@kubernetes/client-node';
import { ask, type Question } from '../http/ask.ts';

export interface AnswerLimits {
  /** Of each answer. */
  readonly mostBytes?: number;
  /** How many bytes an answer had. */
  readonly received?: ((bytes: number) => void) | undefined;
}

/**
 * How the client sends a request: over the agent's connection, once, to that server and to no other.
 *
 * Not by the client's own way, a `fetch`: which one that is depends on the runtime. Bun's knows nothing of the agent's look-up,
 * goes through the proxies of the environment, and sends a PUT a second time when the answer to it is lost. And a redirect would
 * be followed.
 */
export function httpOver(
  agent: Agent,
  signal: AbortSignal,
  { received, ...bounds }: Pick<Question, 'mostMs' | 'mostBytes'> & Pick<AnswerLimits, 'received'>,
): HttpLibrary {
  return wrapHttpLibrary({
    send: (asked) => {
      const body = asked.getBody();
      if (body !== undefined && typeof body !== 'string') throw new TypeError('a request is JSON');
      return send(asked, body);
    },
  });

  async function send(asked: RequestContext, body: string | undefined): Promise<ResponseContext> {
    const {
      status,
      headers,
      body: bytes,
    } = await ask(
      {
        ...urlToHttpOptions(new URL(asked.getUrl())),
        protocol: 'https:',
        agent,
        method: asked.getHttpMethod(),
        headers: {
          'user-agent': 'kubepki',
          ...asked.getHeaders(),
          // Said for every method: without it node sends the body of a DELETE as if it were a request after it.
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
        },
      },
      { body, signal, ...bounds },
    );
    received?.(bytes.length);
    return new ResponseContext(status, flat(headers), new SelfDecodingBody(Promise.resolve(bytes)));
  }
}

function flat(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
