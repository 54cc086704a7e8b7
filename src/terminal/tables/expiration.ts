import type { ExpirationRow, ShownReport } from '../../operations/expiration/expiration-report.ts';
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

/** kubeadm's two tables, certificates and CAs, and a third of what else was asked for: their columns stand below each other. */
export function* expirationTables(report: ShownReport, look: Look): Generator<string> {
  const certificates = report.certificates.map(shown);
  const authorities = report.certificateAuthorities.map(shown);
  const additional = report.additional?.map(shown);
  const all = [...certificates, ...authorities, ...(additional ?? [])];
  const columns = fit(layouts, all, look.width);
  yield drawTitles(columns, look);
  yield* drawRows(columns, certificates, look, column.urgencyOf);
  yield '\n';
  const without = (left: readonly string[], titles: readonly [string, string]): typeof columns =>
    columns
      .filter(({ title }) => !left.includes(title))
      .map((one) =>
        one.title === certificate.title ? { ...one, title: titleWithin(one.width, titles) } : one,
      );
  const authorityTitles = [authority.title, shortAuthority.title] as const;
  const ofAuthorities = without(authorityTitles, authorityTitles);
  yield drawTitles(ofAuthorities, look);
  yield* drawRows(ofAuthorities, authorities, look, column.urgencyOf);
  if (additional !== undefined) {
    // Nothing of these is kubeadm's to renew.
    const left = [...authorityTitles, external.title, shortExternal.title];
    const others = without(left, ['OTHER CERTIFICATE', 'OTHER']);
    yield '\n';
    yield drawTitles(others, look);
    yield* drawRows(others, additional, look, column.urgencyOf);
  }
  yield `\n${foldedText(expirationSum(all), look)}`;
}

function titleWithin(width: number, [title, short]: readonly [string, string]): string {
  return width < title.length ? short : title;
}

function shown(row: ExpirationRow): ShownRow {
  return { node: '', row };
}
