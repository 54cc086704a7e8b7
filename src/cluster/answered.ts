import { ApiException } from '@kubernetes/client-node';
import { TooLarge } from '../http/ask.ts';
import { ClusterFailure } from './cluster-failure.ts';
import { statusIn } from './status.ts';

/** The HTTP status of a refusal. */
export function answered(error: unknown): number | undefined {
  return error instanceof ClusterFailure && error.cause instanceof ApiException
    ? error.cause.code
    : undefined;
}

/** Only where the API server says so itself: something in between that knows no such page has not looked for it. */
export function isNotFound(error: unknown, name: string): boolean {
  if (!(error instanceof ClusterFailure) || !(error.cause instanceof ApiException)) return false;
  const status = statusIn(error.cause.body);
  return error.cause.code === 404 && status?.reason === 'NotFound' && status.name === name;
}

/** The answer was, and was not read to its end. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof ClusterFailure && error.cause instanceof TooLarge;
}
