import type { KubepkiError } from '../../errors/error.ts';
import type { Finding } from '../examination/finding.ts';
import type { ExpirationResult } from './expiration.ts';
import type { ExpirationReport, ExpirationRow } from './expiration-report.ts';

/** What `check-expiration` says of one of several trees. */
export interface TreeExpiration {
  /** Its directory, as it was typed. */
  readonly node: string;
  /** undefined: nothing of it could be read, since it is not there, or no cert dir is in it. */
  readonly report: ExpirationReport | undefined;
  /** As with one tree, or why there is no report. */
  readonly problems: readonly KubepkiError[];
  readonly findings: readonly Finding[];
}

/** All of them as if they were one node's: each name begins with its node, and an unreadable tree is an unreadable row. */
export function asOneNode(trees: readonly TreeExpiration[]): ExpirationResult {
  return {
    report: {
      certificates: trees.flatMap(({ node, report }) =>
        report === undefined ? [{ status: 'unreadable', name: node }] : named(node, report.certificates),
      ),
      certificateAuthorities: trees.flatMap(({ node, report }) =>
        report === undefined ? [] : named(node, report.certificateAuthorities),
      ),
      unlisted: trees.flatMap(({ node, report }) =>
        report === undefined ? [] : named(node, report.unlisted),
      ),
    },
    problems: trees.flatMap(({ problems }) => problems),
    findings: trees.flatMap(({ findings }) => findings),
  };
}

function named(node: string, rows: readonly ExpirationRow[]): ExpirationRow[] {
  return rows.map((row) => ({ ...row, name: `${node}: ${row.name}` }));
}
