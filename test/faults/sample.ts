import fc from '../support/properties.ts';
import type { FaultPoint } from './strace.ts';

/** `npm run test:faults` and .ci/run: every call of a renewal that is killed; `npm test`: a sample. */
export const everyPoint = process.env['FAULTS'] === 'all';

/** `npm run test:faults`: every call of all that is killed, failed or interrupted. */
export const everyKill = process.env['KILLS'] === 'all';

/** So many with FAULTS=all, and so many else. */
export interface Amount {
  readonly all: number;
  readonly short: number;
}

/** From each of as many parts one by chance, and the same ones with the same seed; all of them with `KILLS=all`. */
export function seeded<T>(items: readonly T[], amount: Amount): readonly T[] {
  if (everyKill) return items;
  const count = Math.min(items.length, everyPoint ? amount.all : amount.short);
  const bound = (part: number): number => Math.floor((part * items.length) / count);
  const parts = Array.from({ length: count }, (_, part) =>
    fc.constantFrom(...items.slice(bound(part), bound(part + 1))),
  );
  return fc.sample(fc.tuple(...parts), 1)[0] ?? [];
}

/** Every `step`th call, the first of each kind, and the last of all, when the change is made. */
export function sample(points: readonly FaultPoint[], step: number): FaultPoint[] {
  if (everyPoint) return [...points];
  const firsts = new Set(
    [...new Set(points.map(({ call }) => call))].map((call) =>
      points.findIndex((point) => point.call === call),
    ),
  );
  return points.filter((_, index) => index % step === 0 || firsts.has(index) || index === points.length - 1);
}

/**
 * For what befalls a renewal beside being killed: with FAULTS=all the first
 * point of each kind and every sixth from there, and the last of all; with KILLS=all every one, else as {@link sample}.
 */
export function sampleKinds(points: readonly FaultPoint[], step: number): FaultPoint[] {
  if (!everyPoint || everyKill) return sample(points, step);
  const chosen = new Set(
    byKind(points).flatMap((kind) =>
      kind.filter((point, index) => index % 6 === 0 || point === points.at(-1)),
    ),
  );
  return points.filter((point) => chosen.has(point));
}

/** So many of them, evenly spread over the run; half of them with `FAULTS=all`, if that is more, and all with `KILLS=all`. */
export function spread<T>(items: readonly T[], count: number): readonly T[] {
  if (everyKill) return items;
  return evenly(items, everyPoint ? Math.max(count, Math.ceil(items.length / 2)) : count);
}

/** So many of them, evenly spread. */
export function evenly<T>(items: readonly T[], count: number): readonly T[] {
  const step = Math.max(1, items.length / count);
  return items.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}

/**
 * The points at which the same is done: the same call on the same kind of file, of which a change has many. What differs from
 * one to the next is only how far the change is.
 */
export function byKind(points: readonly FaultPoint[]): readonly (readonly FaultPoint[])[] {
  const kinds = new Map<string, FaultPoint[]>();
  for (const point of points) {
    const kind = kindOf(point);
    kinds.set(kind, [...(kinds.get(kind) ?? []), point]);
  }
  return [...kinds.values()];
}

function kindOf({ call, line }: FaultPoint): string {
  const path = /[<"](\/[^>"]*\/etc\/kubernetes[^>"]*)/.exec(line)?.[1] ?? line;
  const kind = path
    .replace(/^.*\/etc\/kubernetes/, '')
    .replace(/backups\/[^/]+/, 'backups/ID')
    .replace(/\/\d+$/, '/N')
    .replace(/[\w.-]+\.kubepki-[0-9a-f]+/, 'staged')
    .replace(/[\w-]+(?=\.(?:crt|key|conf|csr)$)/, 'file');
  return `${call} ${line.includes('O_CREAT') ? 'create ' : ''}${kind}`;
}
