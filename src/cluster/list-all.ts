import { answered, isTooLarge } from './answered.ts';
import type { ApiConfiguration, Ask } from './api.ts';
import { ClusterFailure } from './cluster-failure.ts';

/** As the client takes it. */
export interface Page {
  readonly limit: number;
  readonly _continue?: string;
}

interface Listing<T> {
  /** Of the list, such as `NodeList`. */
  readonly kind: string;
  readonly page: (configuration: ApiConfiguration, page: Page) => Promise<unknown>;
  /** @throws ClusterFailure for what is not whole */
  readonly parse: (item: unknown) => T;
}

// A Node has tens of kilobytes. Of objects that are larger fewer are asked for at once: see `allPages`.
const pageSize = 100;
const smaller = 5;
// A list that does not end is none.
const mostPages = 10_000;
const mostBytes = 512 * 1024 * 1024;
const attempts = 3;

/**
 * A whole list, or a failure: never a part of it.
 * @throws ClusterFailure
 */
export async function listAll<T>(ask: Ask, listing: Listing<T>): Promise<readonly T[]> {
  for (let left = attempts; ; left -= 1) {
    try {
      return await allPages(ask, listing);
    } catch (error) {
      // An API server keeps a list as it was for some minutes only, and then wants it to be begun anew.
      if (answered(error) !== 410 || left === 1) throw error;
    }
  }
}

async function allPages<T>(ask: Ask, { kind, page, parse }: Listing<T>): Promise<readonly T[]> {
  const items: T[] = [];
  const seen = new Set<string>();
  let next: Partial<Page> = {};
  let limit = pageSize;
  let bytes = 0;
  const received = (length: number): void => {
    bytes += length;
  };
  for (;;) {
    const wanted = { limit, ...next };
    let answer: ReturnType<typeof pageIn>;
    try {
      answer = await ask(async (configuration) => pageIn(await page(configuration, wanted), kind), {
        received,
      });
    } catch (error) {
      // The same place again, with fewer: where a page goes on does not depend on how large it is.
      if (!isTooLarge(error) || limit === 1) throw error;
      limit = Math.floor(limit / smaller) || 1;
      continue;
    }
    items.push(...answer.items.map(parse));
    if (bytes > mostBytes) throw notList(kind, 'it is larger than 512 MiB');
    if (answer.next === undefined) return items;
    if (seen.has(answer.next) || seen.size === mostPages) throw notList(kind, 'it does not end');
    seen.add(answer.next);
    next = { _continue: answer.next };
  }
}

function pageIn(
  answer: unknown,
  kind: string,
): { readonly items: readonly unknown[]; readonly next: string | undefined } {
  const { kind: found, metadata, items } = partsOf(answer);
  if (found !== kind) throw notList(kind, 'its kind is another');
  if (!Array.isArray(items)) throw notList(kind, 'it has no items');
  const { _continue: next } = partsOf(metadata);
  if (next !== undefined && next !== null && typeof next !== 'string') {
    throw notList(kind, 'where it goes on is not a text');
  }
  return { items, next: next === null || next === '' ? undefined : next };
}

/** What the client takes for any object. */
export function partsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

export function notList(kind: string, why: string): ClusterFailure {
  return new ClusterFailure(
    `the API server's answer is not a ${kind}: ${why}`,
    { retryable: false },
    { hint: 'something else may answer in its place: check the server of the kubeconfig' },
  );
}
