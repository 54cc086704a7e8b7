import type { ExpirationRow, KubeadmReport } from '../../operations/expiration/expiration-report.ts';
import { drawRows, drawTitles } from './draw.ts';
import * as column from './expiration-columns.ts';
import type { ShownRow } from './expiration-columns.ts';
import { expirationSum } from './expiration-sum.ts';
import { fit, type Layout } from './fit.ts';
import { foldedText } from './folded-text.ts';
import type { Look } from './look.ts';

const { certificate, expires, expiresDay, residualTime, authority, shortAuthority } = column;
const { external, shortExternal, problem, file } = column;

const layouts: readonly Layout<ShownRow>[] = [
  [certificate, expires, residualTime, authority, external, problem, file],
  [certificate, expires, residualTime, shortAuthority, shortExternal, problem, file],
  [certificate, expires, residualTime, authority, external, problem],
  [certificate, expires, residualTime, shortAuthority, shortExternal, problem],
  [certificate, expires, residualTime, shortAuthority, shortExternal],
  [certificate, expiresDay, residualTime, shortAuthority, shortExternal],
  [certificate, expiresDay, residualTime, shortAuthority],
  [certificate, expiresDay, residualTime],
  [certificate, residualTime],
  [certificate, column.shortResidualTime],
];

/** kubeadm's two tables, certificates and CAs, for a person: their columns stand below each other. */
export function* expirationTables(report: KubeadmReport, look: Look): Generator<string> {
  const certificates = report.certificates.map(shown);
  const authorities = report.certificateAuthorities.map(shown);
  const all = [...certificates, ...authorities];
  const columns = fit(layouts, all, look.width);
  yield drawTitles(columns, look);
  yield* drawRows(columns, certificates, look, column.urgencyOf);
  yield '\n';
  const ofAuthorities = columns
    .filter(({ title }) => title !== authority.title && title !== shortAuthority.title)
    .map((one) => (one.title === certificate.title ? { ...one, title: titleWithin(one.width) } : one));
  yield drawTitles(ofAuthorities, look);
  yield* drawRows(ofAuthorities, authorities, look, column.urgencyOf);
  yield `\n${foldedText(expirationSum(all), look)}`;
}

function titleWithin(width: number): string {
  return width < authority.title.length ? shortAuthority.title : authority.title;
}

function shown(row: ExpirationRow): ShownRow {
  return { node: '', row };
}
