import * as z from 'zod';
import { answered, isTooLarge } from './failure.ts';
import type { ApiRequest, Ask } from './api.ts';
import { arrayOf, notExpected, type Expected } from './expected.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the list goes on. */
  readonly next: string | undefined;
}

export type Listing<T> = Pick<ApiRequest<Page<T>>, 'path' | 'query' | 'accept' | 'answer'>;

/** As it is in the metadata of a list; empty where there is no more. */
export const goesOn = z
  .object({ continue: z.string().nullish() })
  .nullish()
  .transform((metadata) => (metadata?.continue === '' ? undefined : (metadata?.continue ?? undefined)));

/** @param kind of the list, such as `NodeList` */
export function pageOf<T>(kind: string, item: z.ZodType<T>): Expected<Page<T>> {
  return {
    what: `the ${kind} that was asked for`,
    schema: z
      .object({ kind: z.literal(kind), metadata: goesOn, items: arrayOf(item) })
      .transform(({ items, metadata: next }) => ({ items, next })),
  };
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

async function allPages<T>(ask: Ask, { query, ...listing }: Listing<T>): Promise<readonly T[]> {
  const items: T[] = [];
  const seen = new Set<string>();
  const { what } = listing.answer;
  let next: string | undefined;
  let limit = pageSize;
  let bytes = 0;
  for (;;) {
    let page: Page<T>;
    try {
      page = await ask({
        ...listing,
        query: { ...query, limit: String(limit), ...(next === undefined ? {} : { continue: next }) },
        received: (length) => {
          bytes += length;
        },
      });
    } catch (error) {
      // The same place again, with fewer: where a page goes on does not depend on how large it is.
      if (!isTooLarge(error) || limit === 1) throw error;
      limit = Math.floor(limit / smaller) || 1;
      continue;
    }
    items.push(...page.items);
    if (bytes > mostBytes) throw notExpected(what, 'it is larger than 512 MiB');
    if (page.next === undefined) return items;
    if (seen.has(page.next) || seen.size === mostPages) throw notExpected(what, 'it does not end');
    seen.add(page.next);
    next = page.next;
  }
}
