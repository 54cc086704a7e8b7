import type { ExpirationRow, Remaining, Fault } from '../../operations/expiration/expiration-report.ts';
import { faultsText, remainingText } from './findings.ts';
import { humanDuration } from '../times.ts';
import { printable } from '../printable.ts';

/** The states of the Monitoring Plugins guidelines. */
type NagiosStatus = 'OK' | 'WARNING' | 'CRITICAL' | 'UNKNOWN';

export interface NagiosVerdict {
  readonly status: Exclude<NagiosStatus, 'UNKNOWN'>;
  readonly faults: readonly Fault[];
  /** The certificates that expire within the threshold of the status; none when it is OK. */
  readonly due: readonly Remaining[];
  /** The next certificate to expire. */
  readonly next: Remaining | undefined;
  /** The errors that no row tells, such as one about a CA's key. */
  readonly problems: readonly { readonly oneLine: string }[];
  /** The nodes whose documents do not count, each with the reason. */
  readonly doubts: readonly string[];
}

export interface Thresholds {
  readonly warningMs: number;
  readonly criticalMs: number;
}

/** One line, with performance data: the seconds each certificate has left. */
export function nagiosLine(
  verdict: NagiosVerdict,
  rows: readonly ExpirationRow[],
  thresholds: Thresholds,
): string {
  const data = rows.map((row) => performanceData(row, thresholds)).join(' ');
  return `${statusLine(verdict.status, sentence(verdict, rows.length))} | ${data}\n`;
}

export function nagiosUnknown(message: string): string {
  return `${statusLine('UNKNOWN', message)}\n`;
}

function statusLine(status: NagiosStatus, message: string): string {
  // The performance data begins with a bar.
  return `KUBEPKI ${status} - ${printable(message).replaceAll('|', ' ')}`;
}

function sentence({ status, faults, due, next, problems, doubts }: NagiosVerdict, count: number): string {
  if (status === 'OK') {
    const first =
      next === undefined ? '' : `, the next to expire is ${next.name} in ${humanDuration(next.residualMs)}`;
    return `${String(count)} certificates${first}`;
  }
  const parts = [
    ...doubts,
    ...(faults.length === 0 ? [] : [faultsText(faults)]),
    ...(faults.length + doubts.length === 0 ? problems.map(({ oneLine }) => oneLine) : []),
    ...(due.length === 0 ? [] : [`expiring: ${remainingText(due)}`]),
  ];
  return parts.join('; ');
}

/** `'label'=value[UOM];[warn];[crit]`: a range `N:` alerts below N, and `U` is an unknown value. */
function performanceData(row: ExpirationRow, { warningMs, criticalMs }: Thresholds): string {
  const label = quotedLabel(row.name);
  if (row.status !== 'present') return `${label}=U`;
  const bound = (ms: number): string => seconds(Math.min(ms, row.marginMs ?? ms));
  return `${label}=${seconds(row.residualMs)}s;${bound(warningMs)}:;${bound(criticalMs)}:`;
}

/** Neither an equals sign nor a quote may be in a label; a quote is doubled. */
export function quotedLabel(label: string): string {
  return `'${printable(label).replaceAll('=', '_').replaceAll("'", "''")}'`;
}

function seconds(milliseconds: number): string {
  return String(Math.trunc(milliseconds / 1000) + 0);
}
