/** Why a server gave no answer, in few words. */
export function connectionTrouble(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'connection reset';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return 'no way there from here';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'unknown host';
    case 'ETIMEDOUT':
    case 'TimeoutError':
    case 'AbortError':
      return 'no answer';
    default:
      // OpenSSL's own message names its source files.
      return code === 'EPROTO' || code.startsWith('ERR_SSL_') ? `no TLS (${code})` : error.message;
  }
}

/** Whether the error may pass, so that another try is worth it, although the operator does nothing. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return passing.includes(code);
}

const passing = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'TimeoutError',
  'AbortError',
];
