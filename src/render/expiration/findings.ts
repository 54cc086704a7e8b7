import type { Fault, Remaining } from '../../operations/expiration/expiration-report.ts';
import { humanDuration } from '../times.ts';

/** `apiserver expired 3d ago, etcd-peer cannot be read, scheduler.conf is missing` */
export function faultsText(faults: readonly Fault[]): string {
  return faults.map((fault) => `${fault.name} ${faultText(fault)}`).join(', ');
}

/** `apiserver (20d), ca (29d)` */
export function remainingText(remaining: readonly Remaining[]): string {
  return remaining.map(({ name, residualMs }) => `${name} (${humanDuration(residualMs)})`).join(', ');
}

function faultText(fault: Fault): string {
  switch (fault.kind) {
    case 'expired':
      return `expired ${humanDuration(-fault.residualMs)} ago`;
    case 'missing':
      return 'is missing';
    case 'unreadable':
      return 'cannot be read';
    case 'invalid':
      return [
        ...fault.reasons,
        ...(fault.residualMs <= 0 ? [`expired ${humanDuration(-fault.residualMs)} ago`] : []),
      ].join(' and ');
  }
}
