import { nameOfNode } from '../../node/node-name.ts';
import type { Node } from '../../node/node-options.ts';
import { withAdditional } from '../../operations/expiration/additional.ts';
import { kindRows } from '../../operations/expiration/expiration-report.ts';
import { expiration } from '../../operations/expiration/expiration.ts';
import { factsByName, monitored } from '../../operations/expiration/monitored.ts';
import type { Observed } from '../../operations/verification/observed.ts';
import type { ToldNode } from '../../operations/verification/verification.ts';

/** What a document tells of a node beside the checks, so that another machine can judge them as of another moment. */
export function toldNode(observed: Observed, node: Node): ToldNode {
  const { subject, findings, live } = observed;
  // What a component serves is in a file, which is among them.
  const given = live && {
    ...live,
    answers: live.answers.filter(({ endpoint }) => endpoint.restart === undefined),
  };
  const { report, additional } = withAdditional(expiration(subject, findings), { ...observed, live: given });
  return {
    name: nameOfNode(node),
    time: subject.now,
    rows: kindRows(report),
    facts: factsByName(monitored(subject, report, additional)),
  };
}
