import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { isDown, reasonOf, send, type Reply } from './request.ts';

export interface Kept {
  readonly key: string;
  readonly value: string;
  /** Of the last change. */
  readonly revision: string;
}

export interface EtcdFiles {
  readonly url: string;
  /** Of the CA; it is read once. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** etcd cannot be asked. */
export class EtcdTrouble extends Error {
  /** Nothing listens there, or it has no leader yet: it is being restarted. */
  readonly isDown: boolean;

  constructor(message: string, { isDown: down }: { readonly isDown: boolean }) {
    super(`etcd: ${message}`);
    this.isDown = down;
  }
}

interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision: string;
}

// etcd's client tries a read again about so long when there is no connection, or no leader.
const patienceMs = 2500;

/**
 * What an API server keeps in etcd, over etcd's own gateway for JSON. Like the API server it reads the CA when it starts, and its
 * client certificate for each connection.
 */
export class EtcdStore {
  readonly #files: EtcdFiles;
  readonly #ca: Buffer;
  // A session that is taken up again would not be verified again.
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4, maxCachedSessions: 0 });

  constructor(files: EtcdFiles) {
    this.#files = files;
    this.#ca = readFileSync(files.ca);
  }

  async get(key: string): Promise<Kept | undefined> {
    return (await this.#range({ key: base64(key) }))[0];
  }

  /** Whatever begins so, in the order of the keys. */
  list(prefix: string): Promise<readonly Kept[]> {
    const end = Buffer.from(prefix);
    end[end.length - 1] = (end.at(-1) ?? 0) + 1;
    return this.#range({ key: base64(prefix), range_end: end.toString('base64') });
  }

  /** @param revision that it must have still: 0 where it must not be there. @returns undefined: it has another */
  async put(key: string, value: string, revision: string): Promise<string | undefined> {
    const answer = await this.#ask<{ succeeded?: boolean; header: { revision: string } }>('txn', {
      compare: [{ key: base64(key), target: 'MOD', result: 'EQUAL', mod_revision: revision }],
      success: [{ request_put: { key: base64(key), value: base64(value) } }],
    });
    return answer.succeeded === true ? answer.header.revision : undefined;
  }

  async delete(key: string): Promise<void> {
    await this.#ask('deleterange', { key: base64(key) });
  }

  async #range(question: object): Promise<readonly Kept[]> {
    const { kvs = [] } = await this.#ask<{ kvs?: readonly KeyValue[] }>('range', question);
    return kvs.map(({ key, value = '', mod_revision }) => ({
      key: Buffer.from(key, 'base64').toString(),
      value: Buffer.from(value, 'base64').toString(),
      revision: mod_revision,
    }));
  }

  async #ask<T>(call: string, question: object): Promise<T> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const { reply, trouble } = await this.#try(`kv/${call}`, JSON.stringify(question));
      if (reply !== undefined) return JSON.parse(reply.text) as T;
      if (performance.now() > deadline) throw trouble;
      await pause(100);
    }
  }

  async #try(
    path: string,
    body: string,
  ): Promise<{ reply: Reply; trouble?: never } | { reply?: never; trouble: EtcdTrouble }> {
    try {
      const reply = await send(`${this.#files.url}/v3/${path}`, {
        method: 'POST',
        agent: this.#agent,
        ca: this.#ca,
        cert: readFileSync(this.#files.certificate),
        key: readFileSync(this.#files.key),
        body,
      });
      if (reply.status === 200) return { reply };
      const passes = /leader|unavailable|timed out|connection refused/i.test(reply.text);
      return { trouble: new EtcdTrouble(reply.text.trim(), { isDown: passes }) };
    } catch (error) {
      return { trouble: new EtcdTrouble(reasonOf(error), { isDown: isDown(error) }) };
    }
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
