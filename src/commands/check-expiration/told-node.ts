import { kindRows, type ToldRows } from '../../operations/expiration/expiration-report.ts';
import { factsByName, monitored } from '../../operations/expiration/monitored.ts';
import type { Examined } from '../../node/examine.ts';
import type { ToldNode } from '../../render/expiration/expiration-document.ts';

/** What a document has beside kubeadm's fields; undefined without --all. */
export function toldOf(examined: Examined): ToldNode | undefined {
  const rows = toldRows(examined);
  const { node, problems, findings, subject } = examined;
  return rows && { ...rows, node, time: subject.now, problems, findings };
}

/** The same of its certificates alone. */
export function toldRows({ subject, report, additional }: Examined): ToldRows | undefined {
  if (additional === undefined) return undefined;
  return { rows: kindRows(report), facts: factsByName(monitored(subject, report, additional)) };
}
