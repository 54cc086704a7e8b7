import { isIP } from 'node:net';
import * as z from 'zod';
import { ClusterFailure } from './failure.ts';

/**
 * What an answer has to be. A schema accepts fields that it does not name, as each release of Kubernetes adds some. A field that it
 * names has to be there and of its kind, or the answer is refused.
 */
export interface Expected<T> {
  /** The answer in words: `the ConfigMap kubeadm-config`. */
  readonly what: string;
  readonly schema: z.ZodType<T>;
}

/** A name or an address, which is never empty. */
export const text = z.string().min(1);

/** Whether it is an IP address that means the same on every machine: one with a zone does not, and no URL takes it. */
export function isAddress(given: string): boolean {
  return isIP(given) !== 0 && !given.includes('%');
}

/** A list of no text or one: Go leaves an empty text out, or writes it as such. */
export const optionalText = z
  .string()
  .nullish()
  .transform((given): readonly string[] =>
    given === undefined || given === null || given === '' ? [] : [given],
  );

/** A list that is checked up to the first wrong item: zod's own reports every one, and there may be millions. */
export function arrayOf<T>(item: z.ZodType<T>) {
  return z.array(z.unknown()).transform((given, context): readonly T[] => {
    const items: T[] = [];
    for (const [index, one] of given.entries()) {
      const { data, error } = item.safeParse(one, { error: predicate });
      if (error !== undefined) {
        const [{ path, message } = nothingSaid] = error.issues;
        context.addIssue({ code: 'custom', path: [index, ...path], message });
        return z.NEVER;
      }
      items.push(data);
    }
    return items;
  });
}

/** A list: Go leaves an empty one out, or writes null. */
export function listOf<T>(item: z.ZodType<T>) {
  return arrayOf(item)
    .nullish()
    .transform((given) => given ?? []);
}

/** @throws ClusterFailure, not retryable: it names the first wrong field and quotes nothing of the answer */
export function expect<T>(answer: unknown, { what, schema }: Expected<T>): T {
  const { data, error } = schema.safeParse(answer, { error: predicate });
  if (error === undefined) return data;
  const [{ path, message } = nothingSaid] = error.issues;
  throw notExpected(what, `${path.length === 0 ? 'it' : path.map(String).join('.')} ${message}`, error);
}

export function notExpected(what: string, why: string, cause?: unknown): ClusterFailure {
  return new ClusterFailure(
    `the API server's answer is not ${what}: ${why}`,
    { retryable: false },
    { hint: 'something else may answer in its place: check the server of the kubeconfig', cause },
  );
}

const nothingSaid: Pick<z.core.$ZodIssue, 'path' | 'message'> = { path: [], message: 'is something else' };

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  array: 'a list',
  object: 'an object',
};

/** What is wrong with a value, as a predicate of its path. */
function predicate(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined) return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `is not ${kinds[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `is not ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
      return 'is empty';
    default:
      return 'is something else';
  }
}
