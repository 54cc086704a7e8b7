// metav1.Duration is parsed by Go's time.ParseDuration; the duration libraries on npm take other spellings ("1 year",
// "1.5 hrs"), which kubeadm refuses, or miss Go's. Hence these few lines.

const hourMs = 3_600_000;
const goUnitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  '\u00b5s': 1e-3, // micro sign
  '\u03bcs': 1e-3, // Greek letter mu
  ms: 1,
  s: 1000,
  m: 60_000,
  h: hourMs,
};
// kubeadm's certificateValidityPeriod knows Go's units alone. A day is 24 hours and a year 365 days, as Go programs have it.
const calendarUnitMs: Readonly<Record<string, number>> = {
  d: 24 * hourMs,
  w: 168 * hourMs,
  y: 8760 * hourMs,
};

const goDuration = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/;
const goPart = /(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g;
// int64 nanoseconds, about 292 years.
const maxGoMs = 2 ** 63 / 1e6;
const maxPeriodMs = 292 * 8760 * hourMs;

/** The longest of Go's durations in whole hours, for messages. */
export const longestGoDuration = '2562047h';

/** The longest period in whole years, for messages. */
export const longestPeriod = '291y';

/** @returns milliseconds; undefined where it is not well-formed. Go's time.ParseDuration refuses such a text, and one that is too long. */
export function parseGoDuration(text: string): number | 'too-long' | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (!goDuration.test(text)) return undefined;
  const milliseconds = sumOf(text, goPart, goUnitMs);
  if (milliseconds >= maxGoMs) return 'too-long';
  return text.startsWith('-') ? -milliseconds : milliseconds;
}

/**
 * A period on the command line: Go's durations (`720h`), whole days, weeks and years (`90d`, `4w`, `2y`), and the latter
 * before the former (`1y12h`).
 * @returns milliseconds, more than 0; undefined where it is no period
 */
export function parsePeriod(text: string): number | 'too-long' | undefined {
  const [, calendar = '', rest = ''] = /^((?:\d+[ywd])*)(.*)$/.exec(text) ?? [];
  const remaining = rest === '' ? 0 : parseGoDuration(rest);
  if (remaining === undefined || /^[+-]/.test(rest)) return undefined;
  if (remaining === 'too-long') return remaining;
  const total = sumOf(calendar, /(\d+)([ywd])/g, calendarUnitMs) + remaining;
  if (total >= maxPeriodMs) return 'too-long';
  return total > 0 ? total : undefined;
}

function sumOf(text: string, part: RegExp, unitMs: Readonly<Record<string, number>>): number {
  const parts = [...text.matchAll(part)];
  return parts.reduce(
    (sum, [, amount = '', unit = '']) => sum + Number(amount) * (unitMs[unit] ?? Number.NaN),
    0,
  );
}

/** Go's Duration.String for whole seconds: `8760h0m0s`, `1m30s`, `0s`. */
export function formatGoDuration(milliseconds: number): string {
  const seconds = Math.trunc(Math.abs(milliseconds) / 1000);
  const [hours, minutes] = [Math.trunc(seconds / 3600), Math.trunc(seconds / 60) % 60];
  const sign = milliseconds < 0 ? '-' : '';
  if (seconds < 60) return `${sign}${String(seconds)}s`;
  const rest = `${String(minutes)}m${String(seconds % 60)}s`;
  return hours === 0 ? `${sign}${rest}` : `${sign}${String(hours)}h${rest}`;
}
