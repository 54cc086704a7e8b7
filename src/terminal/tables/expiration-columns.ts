import { hasExpired, windowOf, type ExpirationRow } from '../../operations/expiration/expiration-report.ts';
import { humanDuration, kubeadmDate, kubeadmDay } from '../../render/times.ts';
import { printable } from '../../render/printable.ts';
import type { Urgency } from './draw.ts';
import type { Column } from './fit.ts';

const soonMs = 30 * 24 * 3600 * 1000;

/** A row of a table. */
export interface ShownRow {
  readonly node: string;
  /** undefined: it is about the node, of which nothing could be read, or whose document does not count. */
  readonly row: ExpirationRow | undefined;
  /** Why the document does not count. */
  readonly doubt?: string | undefined;
}

type ExpirationColumn = Column<ShownRow>;
type Present = Extract<ExpirationRow, { status: 'present' }>;

export const node: ExpirationColumn = {
  title: 'NODE',
  cell: (shown) => printable(shown.node),
  atLeast: 16,
};

export const certificate: ExpirationColumn = {
  title: 'CERTIFICATE',
  cell: ({ row }) => printable(row?.name ?? ''),
  // kubeadm's names are shorter. One long path must not cost the dates of all.
  atLeast: 40,
};

export const expires = ofPresent('EXPIRES', ({ notAfter }) => kubeadmDate(notAfter));

export const expiresDay = ofPresent('EXPIRES', ({ notAfter }) => kubeadmDay(notAfter));

export const residualTime: ExpirationColumn = {
  title: 'RESIDUAL TIME',
  cell: ({ row, doubt }) => {
    if (row?.status !== 'present') return row?.status ?? doubt ?? 'unreadable';
    if (hasExpired(row.residualMs)) return `expired ${endedAgo(row)}`;
    return `${humanDuration(row.residualMs)}${row.faults.length > 0 ? ', invalid' : ''}`;
  },
};

/** For where there is room for little else. */
export const shortResidualTime: ExpirationColumn = {
  title: 'RESIDUAL',
  cell: (shown) => {
    const { row } = shown;
    const isEnded = row?.status === 'present' && hasExpired(row.residualMs);
    return isEnded ? endedAgo(row) : residualTime.cell(shown).replace(/^.*, /, '');
  },
};

const caName = (row: Present): string => row.caName ?? '';
export const authority = ofPresent('CERTIFICATE AUTHORITY', caName);
export const shortAuthority = ofPresent('AUTHORITY', caName);

const isExternal = ({ externallyManaged }: Present): string => (externallyManaged ? 'yes' : 'no');
export const external = ofPresent('EXTERNALLY MANAGED', isExternal);
export const shortExternal = ofPresent('EXTERNAL', isExternal);

/** What is wrong beside the end. */
export const problem: ExpirationColumn = {
  ...ofPresent('PROBLEM', ({ faults }) => printable(faults.join(' and '))),
  atLeast: 20,
  wraps: true,
};

export const file: ExpirationColumn = {
  title: 'FILE',
  cell: ({ row }) => printable(row?.file ?? ''),
  atLeast: 40,
};

export function urgencyOf({ row }: ShownRow): Urgency {
  if (row?.status !== 'present' || row.faults.length > 0 || hasExpired(row.residualMs)) return 'now';
  return row.residualMs <= windowOf(row, soonMs) ? 'soon' : 'none';
}

function ofPresent(title: string, cell: (row: Present) => string): ExpirationColumn {
  return { title, cell: ({ row }) => (row?.status === 'present' ? cell(row) : '') };
}

function endedAgo({ residualMs }: Present): string {
  return `${humanDuration(-residualMs)} ago`;
}
