import { KubepkiError } from '../../errors/error.ts';
import type { ToldFinding, TreeExpiration } from '../expiration/expiration.ts';
import type { Gathered } from './gather.ts';
import { reportAt, toldAt, type PrintedCertificate } from './printed-certificate.ts';

/** What `check-expiration --all` has printed of one node. */
export interface PrintedExpiration {
  /** undefined: nothing of the node could be looked at, and `problems` say why. */
  readonly certificates: readonly PrintedCertificate[] | undefined;
  /** Why a row is `!INVALID!`, in that node's own words. */
  readonly problems: readonly string[];
  readonly findings: readonly ToldFinding[];
}

/** What `check-expiration` says of a node by its document: its rows as they are now, and why they do not count, where that is so. */
export function gatheredExpiration(
  { node, time, body, doubt }: Gathered<PrintedExpiration>,
  now: Date,
): TreeExpiration {
  const { certificates, problems = [], findings = [] } = body ?? {};
  return {
    node,
    time,
    report: certificates && reportAt(certificates, now),
    problems: [
      ...(doubt === undefined ? [] : [doubt.error]),
      ...problems.map((problem) => new KubepkiError('verification', problem)),
    ],
    findings,
    told: certificates && toldAt(certificates, now),
    doubt: doubt?.word,
  };
}
