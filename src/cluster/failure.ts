import * as z from 'zod';
import { ZodError } from 'zod';
import { KubepkiError, type ErrorDetails } from '../errors/error.ts';
import { type Answer, NotInTime, TooLarge } from '../http/ask.ts';

/** Whether the same request may succeed later by itself. */
type Retry =
  | { readonly retryable: false }
  /** `afterMs`: the API server wants no other try before; it may say anything. */
  | { readonly retryable: true; readonly afterMs: number | undefined };

/** The error for a request to the API server that failed. */
export class ClusterFailure extends KubepkiError {
  readonly retry: Retry;

  constructor(message: string, retry: Retry, details: ErrorDetails = {}) {
    super('cluster', message, details);
    this.retry = retry;
  }

  /** An API server that is restarting, or has too much to do, may answer later. */
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

/** A field of a Status; undefined where it is no text. The rest is believed all the same. */
const text = z.string().min(1).optional().catch(undefined);

const schema = z.object({
  kind: z.literal('Status'),
  /** For programs: `NotFound`, `AlreadyExists`. */
  reason: text,
  /** For people: it may be anything. */
  message: text,
  /** The object that it is about. */
  details: z.object({ name: text }).optional().catch(undefined),
});

/** The believed part of a Status of the API (meta/v1). */
type ApiStatus = z.output<typeof schema>;

/**
 * Reads the body of an answer.
 * @returns undefined: it is no Status, so another program than an API server may have answered
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
  /** The signal that calls everything off. */
  readonly signal: AbortSignal;
}

const final: Retry = { retryable: false };
const later: Retry = { retryable: true, afterMs: undefined };

/** The error for a request, with a sentence on what went wrong, and whether it is worth another try. */
export function failureOf(error: unknown, { server, signal }: Attempt): KubepkiError {
  const at = `the API server at ${server.origin}`;
  // This comes first: a call that was called off failed for that reason, at any stage.
  if (signal.aborted) return new ClusterFailure(`${at} did not answer in time`, final, { cause: error });
  if (error instanceof KubepkiError) return error;
  if (error instanceof Refusal) return refusalOf(error, at);
  if (error instanceof NotInTime) {
    const seconds = String(error.mostMs / 1000);
    return new ClusterFailure(`${at} did not answer within ${seconds} s`, later, { cause: error });
  }
  // The server is not at fault: its answer is refused.
  if (error instanceof TooLarge) {
    return new ClusterFailure(`${at}: ${error.message}`, final, { cause: error });
  }
  const { sentence, retry } = connectionProblem(codeOf(error)) ?? unknownProblem(error);
  return new ClusterFailure(`${at} ${sentence}`, retry, { cause: error });
}

function refusalOf(error: Refusal, at: string): ClusterFailure {
  const { status } = error;
  // To a user that it does not know, an API server says nothing else.
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
    // A load balancer that finds no API server behind it answers 502 or 504.
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

/** An API server quotes all that is invalid before it says why: of a long text, both ends are shown. */
function shortened(text: string): string {
  return text.length <= 600 ? text : `${text.slice(0, 300)} ... ${text.slice(-300)}`;
}

/** The code of an error of node's or OpenSSL's. */
function codeOf(error: unknown): string {
  for (let one = error; one instanceof Error; one = one.cause) {
    if ('code' in one && typeof one.code === 'string') return one.code;
    // Node has tried several addresses.
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

/** The sentence has no more than the error's code: its message may quote the answer, which may be anything. */
function unknownProblem(error: unknown): Problem {
  const code = codeOf(error);
  const sentence = code === '' ? 'did not answer as an API server does' : `could not be asked (${code})`;
  return { sentence, retry: final };
}

/** The HTTP status of a refusal; undefined for another error. */
export function answered(error: unknown): number | undefined {
  return refusalIn(error)?.status;
}

/** Whether the API server itself has not found the object: a proxy that knows no such page has not looked for it. */
export function isNotFound(error: unknown, name: string): boolean {
  const { status, said } = refusalIn(error) ?? {};
  return status === 404 && said?.reason === 'NotFound' && said.details?.name === name;
}

/** Whether the answer was too large to be read to its end. */
export function isTooLarge(error: unknown): error is ClusterFailure {
  return error instanceof ClusterFailure && error.cause instanceof TooLarge;
}

/** Whether the answer is JSON, but not what was asked for. */
export function isMalformed(error: unknown): error is ClusterFailure {
  return error instanceof ClusterFailure && error.cause instanceof ZodError;
}

function refusalIn(error: unknown): Refusal | undefined {
  return error instanceof ClusterFailure && error.cause instanceof Refusal ? error.cause : undefined;
}
