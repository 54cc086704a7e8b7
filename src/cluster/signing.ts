import {
  CertificatesV1Api,
  V1CertificateSigningRequest,
  V1CertificateSigningRequestStatus,
} from '@kubernetes/client-node';
import type { ApiAccess } from './access.ts';
import { answered, isNotFound } from './answered.ts';
import { withApi, type Ask } from './api.ts';
import { ClusterFailure } from './cluster-failure.ts';
import { requestObjectIn, type RequestObject, type RequestSpec } from './request-object.ts';
import { standingOf } from './standing.ts';

/** What is asked of the certificates API for one certificate. */
export interface SigningWish {
  /** Of the CertificateSigningRequest object. */
  readonly name: string;
  readonly signerName: string;
  /** The CSR, PEM. */
  readonly request: Buffer;
  /** certificates.k8s.io/v1 usages, such as `client auth`. */
  readonly usages: readonly string[];
  /** At least 600; undefined: as long as the signer likes. */
  readonly expirationSeconds: number | undefined;
  readonly labels?: Readonly<Record<string, string>>;
}

type Submitted =
  | { readonly kind: 'created' }
  /** `same`: it asks for the very same, as after an answer that was lost on the way. */
  | { readonly kind: 'already-there'; readonly same: boolean };

/** Where one request stands. Reasons and messages are the API server's: they may be anything. */
export type Standing =
  | { readonly kind: 'pending' }
  /** Approved, and not issued yet. */
  | { readonly kind: 'approved' }
  /** `certificate`: PEM, as the API server gave it, not yet checked. */
  | { readonly kind: 'issued'; readonly certificate: string }
  | { readonly kind: 'denied'; readonly reason: string; readonly message: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string }
  /** The request has been deleted. */
  | { readonly kind: 'gone' };

/**
 * One connection, for a whole run. Each request is bounded to 10 s, and none is repeated here: what is worth another
 * try says so (`ClusterFailure.retryable`), and every call may be made again.
 * @throws ClusterFailure from every call
 */
export interface SigningApi {
  submit(wish: SigningWish): Promise<Submitted>;
  /**
   * Approves the request as it was read just before; one that is approved already is left so. What was submitted here
   * is approved only while it is still the same.
   */
  approve(name: string, by: { readonly reason: string; readonly message: string }): Promise<void>;
  standing(name: string): Promise<Standing>;
  /** It may be gone already. */
  remove(name: string): Promise<void>;
}

/** How often another writer may come in between. */
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
  // What `use` throws is its own affair, and no answer of the API server's.
  const outcome = await withApi(access, signal, async (ask) => {
    try {
      return { value: await use(new Signing(ask)) };
    } catch (error) {
      return { error };
    }
  });
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

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
        const there = await this.#read(wish.name);
        if (there !== undefined) return { kind: 'already-there', same: isSame(there.spec, wish) };
        // Deleted just now: the name is free again.
        if (left === 1) throw error;
      }
    }
  }

  async approve(name: string, by: { readonly reason: string; readonly message: string }): Promise<void> {
    for (let left = attempts; ; left -= 1) {
      const object = await this.#read(name);
      if (object === undefined) throw finalFailure(`the CertificateSigningRequest ${name} is gone`);
      if (!this.#mayApprove(object, name)) return;
      try {
        await this.#putApproval(object, name, by);
        return;
      } catch (error) {
        // Changed since it was read: it is looked at again before anything is said about it.
        if (answered(error) !== 409 || left === 1) throw error;
      }
    }
  }

  async standing(name: string): Promise<Standing> {
    const object = await this.#read(name);
    return object === undefined ? { kind: 'gone' } : standingOf(object);
  }

  async remove(name: string): Promise<void> {
    try {
      await this.#ask(async (configuration) => {
        const answer: unknown = await new CertificatesV1Api(configuration).deleteCertificateSigningRequest({
          name,
        });
        // The object itself, where something is still to be done before it goes.
        const kind =
          typeof answer === 'object' && answer !== null && 'kind' in answer ? answer.kind : undefined;
        if (kind !== 'Status' && kind !== 'CertificateSigningRequest') throw new TypeError('not a Status');
      });
    } catch (error) {
      if (!isNotFound(error, name)) throw error;
    }
  }

  async #create({ name, labels, ...wish }: SigningWish): Promise<void> {
    const body = Object.assign(new V1CertificateSigningRequest(), {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name, labels },
      spec: { ...wish, request: wish.request.toString('base64') },
    });
    await this.#ask(async (configuration) => {
      requestObjectIn(
        await new CertificatesV1Api(configuration).createCertificateSigningRequest({ body }),
        name,
      );
    });
  }

  /** @returns undefined: it is not there */
  async #read(name: string): Promise<RequestObject | undefined> {
    try {
      return await this.#ask(async (configuration) =>
        requestObjectIn(
          await new CertificatesV1Api(configuration).readCertificateSigningRequest({ name }),
          name,
        ),
      );
    } catch (error) {
      if (isNotFound(error, name)) return undefined;
      throw error;
    }
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

  async #putApproval(
    { kept }: RequestObject,
    name: string,
    { reason, message }: { readonly reason: string; readonly message: string },
  ): Promise<void> {
    const approval = { type: 'Approved', status: 'True', reason, message };
    const conditions = [...(kept.status?.conditions ?? []), approval];
    const status = Object.assign(new V1CertificateSigningRequestStatus(), kept.status, { conditions });
    const body = Object.assign(new V1CertificateSigningRequest(), kept, { status });
    await this.#ask(async (configuration) => {
      const api = new CertificatesV1Api(configuration);
      const answer = requestObjectIn(
        await api.replaceCertificateSigningRequestApproval({ name, body }),
        name,
      );
      if (answer.conditions.some(({ type }) => type === 'Approved')) return;
      throw finalFailure(`the API server took the approval of ${name}, and has not approved it`);
    });
  }
}

const decided = { denied: 'denied', failed: 'given up by its signer' } as const;

function isSame(there: RequestSpec, wish: SigningWish): boolean {
  const sorted = (usages: readonly string[]): readonly string[] => [...usages].sort();
  const [found, wanted] = [sorted(there.usages), sorted(wish.usages)];
  return (
    there.request.equals(wish.request) &&
    there.signerName === wish.signerName &&
    // One by one: joined, a text with a line break in it would be the same as two.
    found.length === wanted.length &&
    found.every((usage, index) => usage === wanted[index]) &&
    // Before Kubernetes 1.22 an API server drops it without a word.
    (there.expirationSeconds === undefined || there.expirationSeconds === wish.expirationSeconds)
  );
}

function finalFailure(sentence: string): ClusterFailure {
  return new ClusterFailure(sentence, { retryable: false });
}
