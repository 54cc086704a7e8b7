import * as z from 'zod';
import type { Ask } from './api.ts';
import { listOf, text } from './expected.ts';
import { goesOn, listAll, type Page } from './list-all.ts';
import { requestsPath } from './request-object.ts';

const table = z
  .object({
    kind: z.literal('Table'),
    metadata: goesOn,
    columnDefinitions: listOf(z.object({ name: z.string() })),
    rows: listOf(z.object({ cells: z.array(z.unknown()) })),
  })
  .transform(({ metadata: next, columnDefinitions, rows }, context): Page<string> => {
    const column = columnDefinitions.findIndex(({ name }) => name === 'Name');
    const items = rows.map(({ cells }) => text.safeParse(cells[column]).data);
    if (items.every((name) => name !== undefined)) return { items, next };
    context.addIssue({ code: 'custom', path: ['rows', items.indexOf(undefined)], message: 'has no name' });
    return z.NEVER;
  });

/**
 * The names of all CertificateSigningRequests, and nothing else of them. A requestor decides how large
 * an object is, up to a megabyte and a half, labels included; of its row in the table that kubectl prints he decides next to
 * nothing. So the list has a size that can be relied on, and each object can be asked for by itself, with a bound of its own.
 * @throws ClusterFailure
 */
export function readRequestNames(ask: Ask): Promise<readonly string[]> {
  return listAll(ask, {
    path: requestsPath,
    query: { includeObject: 'None' },
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    answer: { what: 'the Table that was asked for', schema: table },
  });
}
