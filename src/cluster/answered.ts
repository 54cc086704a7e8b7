import { ZodError } from 'zod';
import { TooLarge } from '../http/ask.ts';
import { ClusterFailure } from './cluster-failure.ts';
import { Refusal } from './refusal.ts';

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
