import { ApiException } from '@kubernetes/client-node';
import { KubepkiError } from '../errors/error.ts';

export interface Attempt {
  readonly server: URL;
  readonly signal: AbortSignal;
}

/** What went wrong with a request, in a sentence. */
export function failureOf(error: unknown, { server, signal }: Attempt): KubepkiError {
  const at = `the API server at ${server.origin}`;
  // First: whatever it was doing when it was called off, that is why it failed.
  if (signal.aborted) return new KubepkiError('cluster', `${at} did not answer in time`, { cause: error });
  if (error instanceof KubepkiError) return error;
  if (error instanceof ApiException) return refusalOf(error, at);
  const sentence = connectionSentence(codeOf(error)) ?? unknownSentence(error);
  return new KubepkiError('cluster', `${at} ${sentence}`, { cause: error });
}

function refusalOf(error: ApiException<unknown>, at: string): KubepkiError {
  const said = statusMessage(error.body);
  const because = said === undefined ? '' : `: ${said}`;
  const failure = (sentence: string, hint?: string): KubepkiError =>
    new KubepkiError('cluster', sentence, { cause: error, hint });
  switch (error.code) {
    case 401:
      return failure(
        `${at} does not know the user of the kubeconfig${because}`,
        "the certificate in it may have expired, or be another CA's",
      );
    case 403:
      return failure(`${at} refused${because}`);
    case 404:
      return failure(`${at} has no such thing${because}`);
    case 429:
      return failure(`${at} has too much to do (429)${because}`);
    default:
      return failure(`${at} answered ${String(error.code)}${because}`);
  }
}

/** Of a Status object, as text or parsed. */
function statusMessage(body: unknown): string | undefined {
  const status: unknown = typeof body === 'string' ? parsed(body) : body;
  if (typeof status !== 'object' || status === null || !('message' in status)) return undefined;
  return typeof status.message === 'string' && status.message !== '' ? status.message : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of node's and OpenSSL's errors; the client may wrap them. */
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

function connectionSentence(code: string): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return 'is not there: the connection was refused';
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return 'broke the connection off';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return 'cannot be reached from here';
    case 'ETIMEDOUT':
      return 'did not answer in time';
    case 'CERT_HAS_EXPIRED':
      return 'has a certificate that has expired';
    case 'CERT_NOT_YET_VALID':
      return 'has a certificate that is not valid yet';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'has a certificate for other names';
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
function unknownSentence(error: unknown): string {
  const code = codeOf(error);
  return code === '' ? 'did not answer as an API server does' : `could not be asked (${code})`;
}
