// metav1.Duration is parsed by Go's time.ParseDuration; the duration libraries on npm take other spellings ("1 year",
// "1.5 hrs"), which kubeadm refuses, or miss Go's. Hence these few lines.

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  '\u00b5s': 1e-3, // micro sign
  '\u03bcs': 1e-3, // Greek letter mu
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const whole = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/;
const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g;
// int64 nanoseconds, about 292 years.
const maxMs = 2 ** 63 / 1e6;

/** In whole hours, for messages. */
export const longestGoDuration = '2562047h';

/** @returns milliseconds; undefined where it is not well-formed. Go's time.ParseDuration refuses that and what is too long. */
export function parseGoDuration(text: string): number | 'too-long' | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (!whole.test(text)) return undefined;
  let milliseconds = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(part)) {
    milliseconds += Number(amount) * (unitMs[unit] ?? Number.NaN);
  }
  if (milliseconds >= maxMs) return 'too-long';
  return text.startsWith('-') ? -milliseconds : milliseconds;
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
