/** A Status of the API (meta/v1), as far as it is to be believed. */
interface ApiStatus {
  /** For programs: `NotFound`, `AlreadyExists`. */
  readonly reason: string | undefined;
  /** For people, and from the API server: it may be anything. */
  readonly message: string | undefined;
  /** The object that it is about. */
  readonly name: string | undefined;
}

/**
 * @param body of an answer, as text or parsed
 * @returns undefined: it is no Status, so something other than an API server may have answered
 */
export function statusIn(body: unknown): ApiStatus | undefined {
  const status: unknown = typeof body === 'string' ? parsed(body) : body;
  if (typeof status !== 'object' || status === null) return undefined;
  if (!('kind' in status) || status.kind !== 'Status') return undefined;
  const details: unknown = 'details' in status ? status.details : undefined;
  return {
    reason: textOf(status, 'reason'),
    message: textOf(status, 'message'),
    name: textOf(details, 'name'),
  };
}

function textOf(object: unknown, key: string): string | undefined {
  if (typeof object !== 'object' || object === null) return undefined;
  const value: unknown = Object.getOwnPropertyDescriptor(object, key)?.value;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
