import * as z from 'zod';
import { ZodError } from 'zod';
import { KubepkiError, type ErrorDetails } from '../errors/error.ts';
import { type Answer, NotInTime, TooLarge } from '../http/ask.ts';

/** Whether the same request may succeed later by itself. */
export type Retry =
  | { readonly retryable: false }
  /** `afterMs`: not before, says the API server; it may say anything. */
  | { readonly retryable: true; readonly afterMs: number | undefined };

/** A request to the API server that came to nothing. */
export class ClusterFailure extends KubepkiError {
  readonly retry: Retry;

  constructor(message: string, retry: Retry, details: ErrorDetails = {}) {
    super('cluster', message, details);
    this.retry = retry;
  }

  /** Such as an API server that is restarting, or has too much to do. */
  get retryable(): boolean {
    return this.retry.retryable;
  }

  /** undefined: the API server did not say. */
  get retryAfterMs(): number | undefined {
    return this.retry.retryable ? this.retry.afterMs : undefined;
  }

  override about(file: string): ClusterFailure {
    const { message, hint, cause } = this;
    return new ClusterFailure(message, this.retry, { file: this.file ?? file, hint, cause });
  }
}

/** An answer whose HTTP status is no success. */
export class Refusal extends Error {
  readonly status: number;
  /** undefined: the answer is not an API server's own. */
  readonly said: ApiStatus | undefined;
  readonly retryAfter: string | undefined;

  constructor({ status, headers, body }: Answer) {
    super(`HTTP ${String(status)}`);
    this.status = status;
    this.said = statusIn(body.toString('utf8'));
    this.retryAfter = headers['retry-after'];
  }
}

/** undefined: nothing, or something else than a text. It is never a reason not to believe the rest. */
const text = z.string().min(1).optional().catch(undefined);

const schema = z.object({
  kind: z.literal('Status'),
  /** For programs: `NotFound`, `AlreadyExists`. */
  reason: text,
  /** For people, and from the API server: it may be anything. */
  message: text,
  /** The object that it is about. */
  details: z.object({ name: text }).optional().catch(undefined),
});

/** A Status of the API (meta/v1), as far as it is to be believed. */
export type ApiStatus = z.output<typeof schema>;

/**
 * @param body of an answer
 * @returns undefined: it is no Status, so something other than an API server may have answered
 */
export function statusIn(body: string): ApiStatus | undefined {
  try {
    return schema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

interface Attempt {
  readonly server: URL;
  /** Of all that is done there. */
  readonly signal: AbortSignal;
}

const final: Retry = { retryable: false };
const later: Retry = { retryable: true, afterMs: undefined };

/** What went wrong with a request, in a sentence, and whether it is worth another try. */
export function failureOf(error: unknown, { server, signal }: Attempt): KubepkiError {
  const at = `the API server at ${server.origin}`;
  // First: a call that was called off failed for that reason, at any stage.
  if (signal.aborted) return new ClusterFailure(`${at} did not answer in time`, final, { cause: error });
  if (error instanceof KubepkiError) return error;
  if (error instanceof Refusal) return refusalOf(error, at);
  if (error instanceof NotInTime) {
    const seconds = String(error.mostMs / 1000);
    return new ClusterFailure(`${at} did not answer within ${seconds} s`, later, { cause: error });
  }
  // Named, as it is the answer that is refused, and not the server that is at fault.
  if (error instanceof TooLarge) {
    return new ClusterFailure(`${at}: ${error.message}`, final, { cause: error });
  }
  const { sentence, retry } = connectionProblem(codeOf(error)) ?? unknownProblem(error);
  return new ClusterFailure(`${at} ${sentence}`, retry, { cause: error });
}

function refusalOf(error: Refusal, at: string): ClusterFailure {
  const { status } = error;
  // Of a user that it does not know it says no more than that.
  const said = status === 401 ? undefined : error.said?.message;
  const because = said === undefined ? '' : `: ${shortened(said)}`;
  const failure = (sentence: string, retry = final, hint?: string): ClusterFailure =>
    new ClusterFailure(`${at} ${sentence}${because}`, retry, { cause: error, hint });
  switch (status) {
    case 401:
      return failure(
        'does not know the user of the kubeconfig (401)',
        final,
        "the certificate in it may have expired, or be another CA's",
      );
    case 403:
      return failure('refused (403)');
    case 404:
      return failure('has no such thing (404)');
    case 409:
      return failure('has something else by that name, or changed meanwhile (409)');
    case 422:
      return failure('finds the request invalid (422)');
    case 429:
      return failure('has too much to do (429)', laterOf(error));
    // 502 and 504 are of a load balancer that finds no API server behind it.
    case 500:
    case 502:
    case 503:
    case 504:
      return failure(`answered ${String(status)}`, laterOf(error));
    default:
      return failure(`answered ${String(status)}`);
  }
}

/** Retry-After in seconds; an API server gives no date, which would need a clock here. */
function laterOf({ retryAfter }: Refusal): Retry {
  return retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter)
    ? { retryable: true, afterMs: Number(retryAfter) * 1000 }
    : later;
}

/** What is invalid is quoted byte for byte before it is said why: of a long text, both ends. */
function shortened(text: string): string {
  return text.length <= 600 ? text : `${text.slice(0, 300)} ... ${text.slice(-300)}`;
}

/** Of node's and OpenSSL's errors. */
function codeOf(error: unknown): string {
  for (let one = error; one instanceof Error; one = one.cause) {
    if ('code' in one && typeof one.code === 'string') return one.code;
    // Addresses tried one after the other.
    if (one instanceof AggregateError) {
      const codes = one.errors.map(codeOf).filter((code) => code !== '');
      if (codes[0] !== undefined) return codes[0];
    }
  }
  return '';
}

interface Problem {
  readonly sentence: string;
  readonly retry: Retry;
}

function connectionProblem(code: string): Problem | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return { sentence: 'is not there: the connection was refused', retry: later };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return { sentence: 'broke the connection off', retry: later };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return { sentence: 'cannot be reached from here', retry: later };
    case 'EPROTOCOL':
      return { sentence: 'wants to speak another protocol than HTTP', retry: final };
    case 'ETIMEDOUT':
      return { sentence: 'did not answer in time', retry: later };
    default: {
      const sentence = tlsSentence(code);
      return sentence === undefined ? undefined : { sentence, retry: final };
    }
  }
}

function tlsSentence(code: string): string | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'has a certificate that has expired';
    case 'CERT_NOT_YET_VALID':
      return 'has a certificate that is not valid yet';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'has a certificate for other names';
    case 'INVALID_PURPOSE':
      return 'has a certificate that is not for servers';
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'CERT_SIGNATURE_FAILURE':
    case 'CERT_UNTRUSTED':
    case 'INVALID_CA':
      return 'has a certificate of another CA than that of the kubeconfig';
    default:
      return code.startsWith('ERR_SSL_') || code === 'EPROTO'
        ? `does not get on with TLS (${code})`
        : undefined;
  }
}

/** The message may quote the answer, which may be anything: its kind is enough. */
function unknownProblem(error: unknown): Problem {
  const code = codeOf(error);
  const sentence = code === '' ? 'did not answer as an API server does' : `could not be asked (${code})`;
  return { sentence, retry: final };
}

/** The HTTP status of a refusal. */
export function answered(error: unknown): number | undefined {
  return refusalIn(error)?.status;
}

/** Only where the API server says so itself: something in between that knows no such page has not looked for it. */
export function isNotFound(error: unknown, name: string): boolean {
  const { status, said } = refusalIn(error) ?? {};
  return status === 404 && said?.reason === 'NotFound' && said.details?.name === name;
}

/** The answer was, and was not read to its end. */
export function isTooLarge(error: unknown): error is ClusterFailure {
  return error instanceof ClusterFailure && error.cause instanceof TooLarge;
}

/** The answer is JSON, and not what was asked for. */
export function isMalformed(error: unknown): error is ClusterFailure {
  return error instanceof ClusterFailure && error.cause instanceof ZodError;
}

function refusalIn(error: unknown): Refusal | undefined {
  return error instanceof ClusterFailure && error.cause instanceof Refusal ? error.cause : undefined;
}
