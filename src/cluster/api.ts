import type { Agent } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { ask, type Answer } from '../http/ask.ts';
import { type ApiAccess, agentFor } from './connection.ts';
import { expect, type Expected } from './expected.ts';
import { failureOf, Refusal } from './failure.ts';

export interface ApiRequest<T> {
  /** GET if undefined. A PATCH is a JSON merge patch. */
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the server's URL. The caller encodes what it puts into it. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Another form of the answer than JSON as it is. */
  readonly accept?: string;
  /** Sent as JSON. */
  readonly body?: object;
  readonly answer: Expected<T>;
  /** Of the answer. */
  readonly mostBytes?: number;
  /** How many bytes the answer had. */
  readonly received?: (bytes: number) => void;
}

/**
 * One request, made once, with bounds of its own: an API server that hangs must not take the time of those after it, nor one
 * answer all the memory. It goes to that server and to no other: through no proxy, and no redirect is followed.
 * @throws KubepkiError cluster: a ClusterFailure, which tells whether another try is worth it
 */
export type Ask = <T>(request: ApiRequest<T>) => Promise<T>;

const requestMs = 10_000;
/**
 * An object has 1.5 MiB at most on its way to etcd, and JSON writes a character of it in up to six: no single object that an
 * API server keeps is larger than this.
 */
const mostBytesOfAny = 16 * 1024 * 1024;

/**
 * Runs something that asks the API server. When it ends, or the signal calls it off, no connection and no look-up is left
 * that would keep the process alive.
 * @param signal bounds all of it: the name, the connection, TLS, every answer
 * @throws KubepkiError cluster, or whatever `use` throws
 */
export async function withApi<T>(
  access: ApiAccess,
  signal: AbortSignal,
  use: (ask: Ask) => Promise<T>,
): Promise<T> {
  const agent = await agentFor(access, signal);
  try {
    return await use(askOver(access, agent, signal));
  } finally {
    agent.destroy();
  }
}

function askOver({ server, credentials }: ApiAccess, agent: Agent, signal: AbortSignal): Ask {
  const known = credentials.kind === 'token' ? { authorization: `Bearer ${credentials.token}` } : {};
  return async ({ method = 'GET', accept = 'application/json', mostBytes = mostBytesOfAny, ...request }) => {
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers = {
      'user-agent': 'kubepki',
      accept,
      ...known,
      ...(body === undefined
        ? {}
        : {
            'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
            'content-length': Buffer.byteLength(body),
          }),
    };
    try {
      const answer = await ask(
        { ...urlToHttpOptions(urlOf(server, request)), protocol: 'https:', agent, method, headers },
        { body, signal, mostMs: requestMs, mostBytes },
      );
      request.received?.(answer.body.length);
      return expect(documentIn(answer), request.answer);
    } catch (error) {
      throw failureOf(error, { server, signal });
    }
  };
}

function urlOf(server: URL, { path, query = {} }: Pick<ApiRequest<unknown>, 'path' | 'query'>): URL {
  const url = new URL(server.href.replace(/\/$/, '') + path);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** @throws Refusal, or an Error for what is no JSON */
function documentIn(answer: Answer): unknown {
  const { status, headers, body } = answer;
  if (status < 200 || status > 299) throw new Refusal(answer);
  if (!/^[^;]*[/+]json\s*(?:;|$)/i.test(headers['content-type'] ?? '')) throw new TypeError('it is no JSON');
  return JSON.parse(body.toString('utf8'));
}
