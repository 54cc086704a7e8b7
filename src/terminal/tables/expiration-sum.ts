import { findingOf, type Fault, type Remaining } from '../../operations/expiration/expiration-report.ts';
import { humanDuration } from '../../render/times.ts';
import { printable } from '../../render/printable.ts';
import type { ShownRow } from './expiration-columns.ts';

/** The faults, the worst first, with what is said of one and of several. */
const faultWords = {
  expired: ['has expired', 'have expired'],
  missing: ['is missing', 'are missing'],
  unreadable: ['cannot be read', 'cannot be read'],
  invalid: ['is invalid', 'are invalid'],
} as const satisfies Readonly<Record<Fault['kind'], readonly [string, string]>>;

/**
 * `2 of 13 certificates have expired; next: apiserver in 13d`: what is wrong comes first. One pass, as there may be many rows.
 * @param nodes how many there are; undefined: only one, which needs no name
 */
export function expirationSum(rows: Iterable<ShownRow>, nodes?: number): string {
  const faulty = { expired: 0, missing: 0, unreadable: 0, invalid: 0 };
  let next: { readonly node: string; readonly remaining: Remaining } | undefined;
  let total = 0;
  let unreadableNodes = 0;
  let doubtful = 0;
  for (const { node, row, doubt } of rows) {
    if (row === undefined) {
      if (doubt === undefined) unreadableNodes += 1;
      else doubtful += 1;
      continue;
    }
    total += 1;
    const found = findingOf(row);
    if ('kind' in found) faulty[kindOf(found)] += 1;
    else if (next === undefined || found.residualMs < next.remaining.residualMs)
      next = { node, remaining: found };
  }
  const [first, ...others] = Object.entries(faultWords).flatMap(([kind, [one, several]]) => {
    const count = faulty[kind as Fault['kind']];
    return count === 0 ? [] : [{ count, words: count === 1 ? one : several }];
  });
  const certificates = `${String(total)} ${total === 1 ? 'certificate' : 'certificates'}`;
  const said = [
    [
      first === undefined ? certificates : `${String(first.count)} of ${certificates}`,
      ...(nodes === undefined || unreadableNodes + doubtful > 0
        ? []
        : [` of ${String(nodes)} ${nodes === 1 ? 'node' : 'nodes'}`]),
      ...(first === undefined ? [] : [` ${first.words}`]),
      ...others.map(({ count, words }) => `, ${String(count)} ${words}`),
    ].join(''),
    ...(doubtful === 0
      ? []
      : [`${String(doubtful)} of ${String(nodes)} nodes without a document that counts`]),
    ...(unreadableNodes === 0 ? [] : [`${String(unreadableNodes)} of ${String(nodes)} nodes cannot be read`]),
    ...(next === undefined ? [] : [nextText(next, nodes)]),
  ];
  return printable(said.join('; '));
}

function nextText(
  { node, remaining: { name, residualMs } }: { readonly node: string; readonly remaining: Remaining },
  nodes: number | undefined,
): string {
  return `next: ${name}${nodes === undefined ? '' : ` of ${node}`} in ${humanDuration(residualMs)}`;
}

/** One that has expired, whatever else is wrong with it, has expired. */
function kindOf(fault: Fault): Fault['kind'] {
  return fault.kind === 'invalid' && fault.residualMs <= 0 ? 'expired' : fault.kind;
}
