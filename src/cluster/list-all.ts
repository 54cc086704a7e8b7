import * as z from 'zod';
import { answered, isTooLarge } from './failure.ts';
import type { ApiRequest, Ask } from './api.ts';
import { arrayOf, notExpected, type Expected } from './expected.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** The place where the list goes on; undefined: at the end. */
  readonly next: string | undefined;
}

type Listing<T> = Pick<ApiRequest<Page<T>>, 'path' | 'query' | 'accept' | 'answer'>;

/** The metadata of a list say where it goes on. */
export const goesOn = z
  .object({ continue: z.string().nullish() })
  .nullish()
  .transform((metadata) => (metadata?.continue === '' ? undefined : (metadata?.continue ?? undefined)));

/** @param kind the list's, such as `NodeList` */
export function pageOf<T>(kind: string, item: z.ZodType<T>): Expected<Page<T>> {
  return {
    what: `the ${kind} that was asked for`,
    schema: z
      .object({ kind: z.literal(kind), metadata: goesOn, items: arrayOf(item) })
      .transform(({ items, metadata: next }) => ({ items, next })),
  };
}

// A Node has tens of kilobytes. Larger objects are asked for in smaller pages: see `allPages`.
const pageSize = 100;
const smaller = 5;
// A longer list is taken for one that never ends.
const mostPages = 10_000;
const mostBytes = 512 * 1024 * 1024;
const attempts = 3;

/**
 * Reads a whole list, or fails: it returns no part of one.
 * @throws ClusterFailure
 */
export async function listAll<T>(ask: Ask, listing: Listing<T>): Promise<readonly T[]> {
  for (let left = attempts; ; left -= 1) {
    try {
      return await allPages(ask, listing);
    } catch (error) {
      // After some minutes an API server forgets the list as it was, and wants it to be begun anew.
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
      // A smaller page from the same place: the place does not depend on the size.
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
