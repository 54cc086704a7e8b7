import type { FaultPoint } from './strace.ts';

/** `npm run test:faults`: every call; `npm test`: a sample. */
export const everyPoint = process.env['FAULTS'] === 'all';

/** Every `step`th call, and the first of each kind. */
export function sample(points: readonly FaultPoint[], step: number): FaultPoint[] {
  if (everyPoint) return [...points];
  const firsts = new Set(
    [...new Set(points.map(({ call }) => call))].map((call) =>
      points.findIndex((point) => point.call === call),
    ),
  );
  return points.filter((_, index) => index % step === 0 || firsts.has(index));
}

/** So many of them, evenly spread over the run; all of them with `FAULTS=all`. */
export function spread<T>(items: readonly T[], count: number): readonly T[] {
  const step = everyPoint ? 1 : Math.max(1, items.length / count);
  return items.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}
