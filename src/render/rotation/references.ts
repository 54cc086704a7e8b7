import type { Found, Reference } from '../../operations/references/reference.ts';
import { printableLines } from '../printable.ts';

/** What holds a CA, each with the command that mends it, for people. */
export function referenceLines({ references, unpublished, unread }: Found): string {
  return printableLines([
    ...references.flatMap(linesOf),
    ...(unpublished.length === 0
      ? []
      : [`Pods: not judged where kube-root-ca.crt does not hold the new CA yet: ${unpublished.join(', ')}`]),
    ...unread.map(({ what, why }) => `${what}: not looked at: ${why}`),
    ...(references.length === 0 && unread.length === 0 ? ['nothing is left to do by hand'] : []),
  ]);
}

function linesOf({ kind, namespace, name, field, says, command, advice }: Reference): string[] {
  const whole = namespace === undefined ? name : `${namespace}/${name}`;
  const where = field === undefined ? whole : `${whole}, ${field}`;
  return [
    `${kind} ${where}: ${says}`,
    ...[advice, command].flatMap((line) => (line === undefined ? [] : [`    ${line}`])),
  ];
}
