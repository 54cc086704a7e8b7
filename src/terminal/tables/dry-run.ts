import type { PlannedChange } from '../../render/change/dry-run.ts';
import { kubeadmDate, kubeadmDay } from '../../render/times.ts';
import { printable } from '../../render/printable.ts';
import { drawRows, drawTitles } from './draw.ts';
import { fit, type Column, type Layout } from './fit.ts';
import { foldedText } from './folded-text.ts';
import type { Look } from './look.ts';

type PlannedColumn = Column<PlannedChange>;

const certificate: PlannedColumn = { title: 'CERTIFICATE', cell: ({ name }) => printable(name) };
const expires = date('EXPIRES', ({ oldNotAfter }) => oldNotAfter, kubeadmDate);
const expiresDay = date('EXPIRES', ({ oldNotAfter }) => oldNotAfter, kubeadmDay);
const wouldExpire = date('WOULD EXPIRE', ({ newNotAfter }) => newNotAfter, kubeadmDate);
const wouldExpireDay = date('WOULD EXPIRE', ({ newNotAfter }) => newNotAfter, kubeadmDay);
const issuer: PlannedColumn = { title: 'ISSUER', cell: (one) => printable(one.issuer ?? ''), atLeast: 16 };
const key: PlannedColumn = { title: 'KEY', cell: ({ keyType }) => keyType ?? '' };

const layouts: readonly Layout<PlannedChange>[] = [
  [certificate, expires, wouldExpire, issuer, key],
  [certificate, expiresDay, wouldExpireDay, issuer, key],
  [certificate, expiresDay, wouldExpireDay, key],
  [certificate, expiresDay, wouldExpireDay],
  [certificate, wouldExpireDay],
];

const fileColumn: Column<string> = { title: 'FILE', cell: printable, atLeast: 1 };

/**
 * What a command would do, for a person: the certificates, what is to be known of them, and the files.
 * @param files those that belong to no one certificate alone
 */
export function dryRunTables(
  changes: readonly PlannedChange[],
  files: readonly string[],
  look: Look,
): string {
  const all = [...changes.flatMap((change) => change.files), ...files];
  return [
    table(layouts, changes, look),
    section(changes.flatMap(remarksOf), look),
    table([[fileColumn]], all, look),
    foldedText(sum(changes.length, all.length), look),
  ].join('');
}

/** With an empty line below it; nothing where there are no rows. */
function table<Row>(layouts: readonly Layout<Row>[], rows: readonly Row[], look: Look): string {
  if (rows.length === 0) return '';
  const columns = fit(layouts, rows, look.width);
  return [drawTitles(columns, look), ...drawRows(columns, rows, look), '\n'].join('');
}

function section(texts: readonly string[], look: Look): string {
  return texts.length === 0 ? '' : `${texts.map((text) => foldedText(text, look)).join('')}\n`;
}

function remarksOf({ name, capped, remark }: PlannedChange): string[] {
  const remarks = [
    ...(capped === true ? ["capped to the CA's end"] : []),
    ...(remark === undefined ? [] : [remark]),
  ];
  return remarks.map((one) => printable(`${name}: ${one}`));
}

function sum(certificates: number, files: number): string {
  const counted = [
    ...(certificates === 0
      ? []
      : [certificates === 1 ? '1 certificate' : `${String(certificates)} certificates`]),
    ...(files === 0 ? [] : [files === 1 ? '1 file' : `${String(files)} files`]),
  ];
  const would = counted.length === 0 ? '' : `${counted.join(' and ')} would change; `;
  return `${would}nothing was changed (--dry-run)`;
}

function date(
  title: string,
  of: (change: PlannedChange) => Date | undefined,
  text: (date: Date) => string,
): PlannedColumn {
  return {
    title,
    cell: (change) => {
      const found = of(change);
      return found === undefined ? 'missing' : text(found);
    },
  };
}
