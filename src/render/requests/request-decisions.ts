import type { SettledRow } from '../../operations/kubelet-serving/verdict.ts';
import { renderDocument, type DocumentFormat } from '../document.ts';
import { printable } from '../printable.ts';

/** A line for each request that was decided, or would be: the others are told as errors or warnings. */
export function decisionLines(rows: readonly SettledRow[]): string {
  return rows.flatMap(line).join('');
}

function line({ settled, asked }: SettledRow): string[] {
  switch (settled.outcome) {
    case 'approved':
    case 'would-approve':
    case 'denied':
    case 'would-deny': {
      const { name, outcome, request, because } = settled;
      const names = (asked?.names ?? []).slice(0, 20);
      const what =
        because === undefined
          ? [request.username, ...names].join(', ')
          : `check ${because.check}: ${because.reason}`;
      return [`${printable(`${name} ${done[outcome]} (${what})`)}\n`];
    }
    case 'refused':
    case 'unreadable':
    case 'not-found':
      return [];
  }
}

const done = {
  approved: 'approved',
  'would-approve': 'would be approved',
  denied: 'denied',
  'would-deny': 'would be denied',
} as const;

export function decisionDocument(
  { command, dryRun, rows }: { command: 'approve' | 'deny'; dryRun: boolean; rows: readonly SettledRow[] },
  format: DocumentFormat,
): string {
  return renderDocument('SigningRequestDecision', { command, dryRun, requests: rows.map(entry) }, format);
}

function entry({ settled, asked }: SettledRow): Readonly<Record<string, unknown>> {
  const { name, outcome } = settled;
  const found = outcome === 'not-found' || outcome === 'unreadable' ? undefined : settled;
  return {
    name,
    outcome,
    check: found?.because?.check ?? null,
    reason: (outcome === 'unreadable' ? settled.reason : found?.because?.reason) ?? null,
    signerName: found?.request.signerName ?? null,
    requestor: found?.request.username ?? null,
    key: asked?.key ?? null,
    names: asked?.names ?? null,
  };
}
