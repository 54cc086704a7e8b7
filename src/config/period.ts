import { parseGoDuration } from './go-duration.ts';

// kubeadm's certificateValidityPeriod knows Go's units alone. A day is 24 hours and a year 365 days, as Go programs have it.
const hourMs = 3_600_000;
const unitMs: Readonly<Record<string, number>> = { d: 24 * hourMs, w: 168 * hourMs, y: 8760 * hourMs };

/** Where Go's durations end as well. */
const maxMs = 292 * 8760 * hourMs;

/** In whole years, for messages. */
export const longestPeriod = '291y';

/**
 * A period on the command line: Go's durations (`720h`), whole days, weeks and years (`90d`, `4w`, `2y`), and the latter
 * before the former (`1y12h`).
 * @returns milliseconds, more than 0; undefined for what is no period
 */
export function parsePeriod(text: string): number | 'too-long' | undefined {
  const [, calendar = '', rest = ''] = /^((?:\d+[ywd])*)(.*)$/.exec(text) ?? [];
  let milliseconds = 0;
  for (const [, amount = '', unit = ''] of calendar.matchAll(/(\d+)([ywd])/g)) {
    milliseconds += Number(amount) * (unitMs[unit] ?? Number.NaN);
  }
  const remaining = rest === '' ? 0 : parseGoDuration(rest);
  if (remaining === undefined || /^[+-]/.test(rest)) return undefined;
  const total = remaining === 'too-long' ? maxMs : milliseconds + remaining;
  if (total >= maxMs) return 'too-long';
  return total > 0 ? total : undefined;
}
