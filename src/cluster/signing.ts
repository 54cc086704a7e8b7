import * as z from 'zod';
import type { ApiAccess } from './connection.ts';
import { answered, isNotFound, ClusterFailure } from './failure.ts';
import { withApi, type Ask } from './api.ts';
import {
  putDecision,
  readRequest,
  requestObject,
  requestPath,
  requestsPath,
  type RequestCondition,
  type RequestObject,
  type RequestSpec,
} from './request-object.ts';

/** A request to the certificates API for one certificate. */
export interface SigningWish {
  /** The name of the CertificateSigningRequest. */
  readonly name: string;
  readonly signerName: string;
  /** The CSR, PEM. */
  readonly request: Buffer;
  /** The usages in the words of certificates.k8s.io/v1, such as `client auth`. */
  readonly usages: readonly string[];
  /** At least 600; undefined: the signer decides. */
  readonly expirationSeconds: number | undefined;
  readonly labels?: Readonly<Record<string, string>>;
}

type Submitted =
  | { readonly kind: 'created' }
  /** `same`: the object is the same, as it is after an answer that was lost on the way. */
  | { readonly kind: 'already-there'; readonly same: boolean };

/** The state of one request. Reasons and messages are the API server's: they may be anything. */
export type Standing =
  | { readonly kind: 'pending' }
  /** Approved, and not issued yet. */
  | { readonly kind: 'approved' }
  /** `certificate`: PEM from the API server, not looked at. */
  | { readonly kind: 'issued'; readonly certificate: string }
  | { readonly kind: 'denied' | 'failed'; readonly reason: string; readonly message: string }
  /** It was deleted. */
  | { readonly kind: 'gone' };

/**
 * One connection, for a whole run. Each request is bounded to 10 s, and none is repeated here: a failure says whether another
 * try is worth it (`ClusterFailure.retryable`), and every call may be made again.
 * @throws ClusterFailure from every call
 */
export interface SigningApi {
  submit(wish: SigningWish): Promise<Submitted>;
  /**
   * Approves the request as it was read just before, unless it is approved already. A request that was submitted here is
   * approved only while it is still the same.
   */
  approve(name: string, by: { readonly reason: string; readonly message: string }): Promise<void>;
  standing(name: string): Promise<Standing>;
  /** Removes the request, which may be gone already. */
  remove(name: string): Promise<void>;
}

/** The number of times that another client may come in between. */
const attempts = 5;

/**
 * @param signal bounds all of it
 * @throws KubepkiError cluster, or what `use` throws
 */
export async function withSigningApi<T>(
  access: ApiAccess,
  signal: AbortSignal,
  use: (api: SigningApi) => Promise<T>,
): Promise<T> {
  return withApi(access, signal, (ask) => use(new Signing(ask)));
}

/** The answer to a removal is a Status, or the object itself where a finalizer is to run first. */
const removed = z.object({ kind: z.enum(['Status', 'CertificateSigningRequest']) });

class Signing implements SigningApi {
  readonly #ask: Ask;
  readonly #submitted = new Map<string, SigningWish>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async submit(wish: SigningWish): Promise<Submitted> {
    this.#submitted.set(wish.name, wish);
    for (let left = attempts; ; left -= 1) {
      try {
        await this.#create(wish);
        return { kind: 'created' };
      } catch (error) {
        if (answered(error) !== 409) throw error;
        const there = await readRequest(this.#ask, wish.name);
        if (there !== undefined) return { kind: 'already-there', same: isSame(there.spec, wish) };
        // The other object has just been deleted, and the name is free again.
        if (left === 1) throw error;
      }
    }
  }

  async approve(name: string, by: { readonly reason: string; readonly message: string }): Promise<void> {
    for (let left = attempts; ; left -= 1) {
      const object = await readRequest(this.#ask, name);
      if (object === undefined) throw finalFailure(`the CertificateSigningRequest ${name} is gone`);
      if (!this.#mayApprove(object, name)) return;
      try {
        await putDecision(this.#ask, object, { type: 'Approved', ...by });
        return;
      } catch (error) {
        // The request has changed since it was read, and is read again.
        if (answered(error) !== 409 || left === 1) throw error;
      }
    }
  }

  async standing(name: string): Promise<Standing> {
    const object = await readRequest(this.#ask, name);
    return object === undefined ? { kind: 'gone' } : standingOf(object);
  }

  async remove(name: string): Promise<void> {
    try {
      await this.#ask({
        method: 'DELETE',
        path: requestPath(name),
        answer: { what: 'the Status that was asked for', schema: removed },
      });
    } catch (error) {
      if (!isNotFound(error, name)) throw error;
    }
  }

  async #create(wish: SigningWish): Promise<void> {
    const { name, labels, request, signerName, usages, expirationSeconds } = wish;
    await this.#ask({
      method: 'POST',
      path: requestsPath,
      body: {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name, labels },
        // Field by field: nothing else that a caller's object may have in it leaves this machine.
        spec: { request: request.toString('base64'), signerName, usages, expirationSeconds },
      },
      answer: requestObject(name),
    });
  }

  /** @returns false: it is approved already */
  #mayApprove(object: RequestObject, name: string): boolean {
    const wish = this.#submitted.get(name);
    if (wish !== undefined && !isSame(object.spec, wish)) {
      throw finalFailure(`the CertificateSigningRequest ${name} is not the one that was made here any more`);
    }
    const standing = standingOf(object);
    switch (standing.kind) {
      case 'pending':
        return true;
      case 'approved':
      case 'issued':
        return false;
      case 'denied':
      case 'failed': {
        const said = [standing.reason, standing.message].filter((text) => text !== '');
        const sentence = `the CertificateSigningRequest ${name} has been ${decided[standing.kind]}`;
        throw finalFailure([sentence, ...said].join(': '));
      }
    }
  }
}

/** Where several conditions are true, a denial counts first, then a failure: after either, no certificate comes. */
function standingOf({ conditions, certificate }: RequestObject): Exclude<Standing, { kind: 'gone' }> {
  const find = (type: string): RequestCondition | undefined =>
    conditions.find((condition) => condition.type === type);
  for (const [kind, type] of [
    ['denied', 'Denied'],
    ['failed', 'Failed'],
  ] as const) {
    const found = find(type);
    if (found !== undefined) return { kind, reason: found.reason, message: found.message };
  }
  if (find('Approved') === undefined) return { kind: 'pending' };
  return certificate === undefined ? { kind: 'approved' } : { kind: 'issued', certificate };
}

const decided = { denied: 'denied', failed: 'given up by its signer' } as const;

function isSame(there: RequestSpec, wish: SigningWish): boolean {
  const sorted = (usages: readonly string[]): readonly string[] => [...usages].sort();
  const [found, wanted] = [sorted(there.usages), sorted(wish.usages)];
  return (
    there.request.equals(wish.request) &&
    there.signerName === wish.signerName &&
    // Joined, a usage with a separator in it would be the same as two usages.
    found.length === wanted.length &&
    found.every((usage, index) => usage === wanted[index]) &&
    // An API server before Kubernetes 1.22 drops the field without a word.
    (there.expirationSeconds === undefined || there.expirationSeconds === wish.expirationSeconds)
  );
}

function finalFailure(sentence: string): ClusterFailure {
  return new ClusterFailure(sentence, { retryable: false });
}
