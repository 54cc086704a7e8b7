import type { Agent } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { ask, type Answer } from '../http/ask.ts';
import { type ApiAccess, agentFor } from './connection.ts';
import { expect, type Expected } from './expected.ts';
import { failureOf, Refusal } from './failure.ts';

export interface ApiRequest<T> {
  /** GET if undefined. A PATCH is a JSON merge patch. */
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The path below the server's URL. The caller encodes the names in it. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** The form of the answer; plain JSON if undefined. */
  readonly accept?: string;
  /** The answer is no JSON: it is taken as one text. */
  readonly isText?: true;
  /** Sent as JSON. */
  readonly body?: object;
  readonly answer: Expected<T>;
  /** The largest answer that is read. */
  readonly mostBytes?: number;
  /** Is called with the size of the answer. */
  readonly received?: (bytes: number) => void;
}

/**
 * Makes a request once, within bounds: an API server that hangs must not take the time of the requests after it, nor one answer
 * all the memory. The request goes to that server and to no other: through no proxy, and no redirect is followed.
 * @throws KubepkiError cluster: a ClusterFailure, which tells whether another try is worth it
 */
export type Ask = <T>(request: ApiRequest<T>) => Promise<T>;

const requestMs = 10_000;
// No object of an API server is larger: it has 1.5 MiB at most on its way to etcd, and JSON writes a character in up to six.
const mostBytesOfAny = 16 * 1024 * 1024;

/**
 * Runs `use`, which asks the API server. When it ends, or the signal calls it off, no connection and no look-up is left that
 * would keep the process alive.
 * @param signal bounds all of it: the look-up of the name, the connection, TLS, every answer
 * @throws KubepkiError cluster, or what `use` throws
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
      return expect(request.isText === true ? textIn(answer) : documentIn(answer), request.answer);
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

/** @throws Refusal */
function textIn(answer: Answer): string {
  if (answer.status < 200 || answer.status > 299) throw new Refusal(answer);
  return answer.body.toString('utf8');
}

/** @throws Refusal, or another Error where the answer is no JSON */
function documentIn(answer: Answer): unknown {
  const { status, headers, body } = answer;
  if (status < 200 || status > 299) throw new Refusal(answer);
  if (!/^[^;]*[/+]json\s*(?:;|$)/i.test(headers['content-type'] ?? '')) throw new TypeError('it is no JSON');
  return JSON.parse(body.toString('utf8'));
}
