import type { IncomingHttpHeaders } from 'node:http';
import { request, type Agent } from 'node:https';
import {
  ResponseContext,
  SelfDecodingBody,
  wrapHttpLibrary,
  type HttpLibrary,
} from '@kubernetes/client-node';

/**
 * How the client sends a request: over the agent's connection, once, to that server and to no other.
 *
 * Not by the client's own way, a `fetch`: which one that is depends on the runtime. Bun's knows nothing of the agent's look-up,
 * goes through the proxies of the environment, and sends a PUT a second time when the answer to it is lost. And a redirect would
 * be followed.
 */
export function httpOver(agent: Agent, signal: AbortSignal): HttpLibrary {
  return wrapHttpLibrary({
    send: (asked) => {
      const body = asked.getBody();
      if (body !== undefined && typeof body !== 'string') throw new TypeError('a request is JSON');
      return new Promise((resolve, reject) => {
        const outgoing = request(
          asked.getUrl(),
          {
            agent,
            signal,
            method: asked.getHttpMethod(),
            headers: {
              'user-agent': 'kubepki',
              ...asked.getHeaders(),
              // Said for every method: without it node sends the body of a DELETE as if it were a request after it.
              ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
            },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () => {
              const { statusCode = 0, headers } = response;
              const whole = new SelfDecodingBody(Promise.resolve(Buffer.concat(chunks)));
              resolve(new ResponseContext(statusCode, flat(headers), whole));
            });
          },
        );
        outgoing.on('error', reject);
        outgoing.end(body);
      });
    },
  });
}

function flat(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
