import { appendFileSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { Agent } from 'node:https';
import { parse } from 'yaml';
import { isDown, reasonOf, send } from './request.ts';

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
}

/** What a kubeconfig says: whom to ask, whom to trust, and who asks. */
export interface Credentials {
  readonly server: string;
  readonly ca: Buffer;
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** Reads it, and the files that it names. @param root stands before their paths */
export function credentialsOf(path: string, root = ''): Credentials {
  const { clusters, users } = parse(readFileSync(path, 'utf8')) as Kubeconfig;
  const held = (from: Readonly<Record<string, string>>, name: string): Buffer => {
    const data = from[`${name}-data`];
    return data === undefined ? readFileSync(below(root, from[name] ?? '')) : Buffer.from(data, 'base64');
  };
  const { cluster } = clusters[0];
  const { user } = users[0];
  return {
    server: cluster['server'] ?? '',
    ca: held(cluster, 'certificate-authority'),
    certificate: held(user, 'client-certificate'),
    key: held(user, 'client-key'),
  };
}

/** The kubelet's certificate is a link, whose path is the node's own. */
function below(root: string, path: string): string {
  const file = root + path;
  return lstatSync(file).isSymbolicLink() ? root + readlinkSync(file) : file;
}

/** The answer said no. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(`HTTP ${String(status)}: ${text.slice(0, 300)}`);
    this.status = status;
  }
}

/** A component's way to the API server: with what its kubeconfig held when it started, for as long as it runs. */
export class ApiClient {
  readonly #credentials: Credentials;
  readonly #report: string | undefined;
  readonly #name: string;
  #agent = new Agent({ keepAlive: true, maxCachedSessions: 0 });

  /** @param report a file to which a line is added for each request */
  constructor(name: string, kubeconfig: string, report: string | undefined) {
    this.#name = name;
    this.#credentials = credentialsOf(kubeconfig);
    this.#report = report;
  }

  /** The next request makes a connection, with a handshake of its own. */
  reconnect(): void {
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true, maxCachedSessions: 0 });
  }

  /** @returns undefined: it is not there (404). @throws Refused, or what {@link send} throws */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T | undefined> {
    const { server, ca, certificate, key } = this.#credentials;
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    try {
      const { status, text } = await send(server + path, {
        ...{ method, agent: this.#agent, ca, cert: certificate, key, headers: { 'content-type': type } },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      // That there is none, or another one by now, is no failure.
      const isAnswer = status < 400 || status === 404 || status === 409;
      if (!isAnswer) throw new Refused(status, text);
      this.#say('ok', '');
      if (status === 409) throw new Refused(status, text);
      return status === 404 ? undefined : (JSON.parse(text) as T);
    } catch (error) {
      if (error instanceof Refused && error.status === 409) throw error;
      const down = isDown(error) || (error instanceof Refused && error.status === 503);
      this.#say(down ? 'down' : 'failed', reasonOf(error));
      throw error;
    }
  }

  #say(outcome: 'ok' | 'down' | 'failed', reason: string): void {
    if (this.#report === undefined) return;
    const line = { time: Date.now(), client: this.#name, outcome, reason };
    appendFileSync(this.#report, `${JSON.stringify(line)}\n`);
  }
}
