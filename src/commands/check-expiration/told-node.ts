import { factsByName, monitored } from '../../operations/expiration/monitored.ts';
import type { Examined } from '../../node/examine.ts';
import type { ToldNode } from '../../render/expiration/expiration-document.ts';

/** What a document has beside kubeadm's fields; undefined without --all. */
export function toldOf({
  subject,
  report,
  additional,
  node: name,
  problems,
  findings,
}: Examined): ToldNode | undefined {
  if (additional === undefined) return undefined;
  return { name, time: subject.now, facts: factsOf({ subject, report, additional }), problems, findings };
}

/** Of each of its certificates. */
export function factsOf({
  subject,
  report,
  additional,
}: Pick<Examined, 'subject' | 'report' | 'additional'>): ToldNode['facts'] {
  return factsByName(monitored(subject, report, additional));
}
