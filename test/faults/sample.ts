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
