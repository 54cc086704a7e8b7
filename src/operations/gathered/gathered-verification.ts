import { KubepkiError } from '../../errors/error.ts';
import { allRows } from '../expiration/expiration-report.ts';
import { nodeVerification, type NodeVerification } from '../verification/verification.ts';
import type { Gathered } from './gather.ts';
import { judgedAnew, type PrintedVerification } from './judged-anew.ts';
import { reportAt, toldAt } from './printed-certificate.ts';

/** What `verify` says of a node by its document: as that node would say it itself, unless the document does not count. */
export function gatheredVerification(
  { node: name, time, body, doubt }: Gathered<PrintedVerification>,
  { now, withinMs }: { readonly now: Date; readonly withinMs: number },
): NodeVerification {
  const { certificates = [], error } = body ?? {};
  const own = certificates.filter(({ kind }) => verified.has(kind));
  const found = {
    results: body === undefined ? [] : judgedAnew(body, { now, then: time ?? now, withinMs }),
    rows: allRows(reportAt(own, now)),
  };
  const lost = error === undefined ? undefined : new KubepkiError('verification', error);
  return {
    ...nodeVerification(name, found, doubt?.error ?? lost),
    document: { name, time, ...toldAt(certificates, now) },
  };
}

/** Those of which `verify` shows how long they last. */
const verified: ReadonlySet<string> = new Set(['certificate', 'authority', 'etcd-client']);
