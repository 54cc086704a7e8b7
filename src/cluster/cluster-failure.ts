import { KubepkiError, type ErrorDetails } from '../errors/error.ts';

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
