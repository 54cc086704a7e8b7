/** Who asks, as the API server sees it. */
export interface Identity {
  readonly username: string;
  readonly groups: readonly string[];
}

export interface Answer {
  readonly status: number;
  /** What is no string is sent as JSON. */
  readonly body: unknown;
}

/** A failure as apimachinery's Status says it. */
export function failure(status: number, reason: string, message: string): Answer {
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason };
  return { status, body: { ...body, code: status } };
}

export const unauthorized = failure(401, 'Unauthorized', 'Unauthorized');
