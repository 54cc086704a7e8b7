import type { Answer } from '../http/ask.ts';
import { statusIn, type ApiStatus } from './status.ts';

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
