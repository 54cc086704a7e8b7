import type { Found, Reference } from '../../operations/references/reference.ts';
import { printableLines } from '../printable.ts';

/** What holds a CA, each with the command that mends it. */
export function referenceLines(found: Found): string {
  return printableLines([
    ...found.references.flatMap((one) => [
      `${one.kind} ${placeOf(one)}: ${one.says}`,
      ...remedyOf(one).map((line) => `    ${line}`),
    ]),
    ...restOf(found),
  ]);
}

/** Where it is: an object with the field, a file, the controller of pods. */
export function placeOf({ namespace, name, field }: Reference): string {
  const whole = namespace === undefined ? name : `${namespace}/${name}`;
  return field === undefined ? whole : `${whole}, ${field}`;
}

/** What mends it, in words and as a command. */
export function remedyOf({ advice, command }: Reference): string[] {
  return [advice, command].flatMap((line) => (line === undefined ? [] : [line]));
}

/** What was not judged, and not looked at. */
export function restOf({ references, unpublished, unread }: Found): string[] {
  return [
    ...(unpublished.length === 0
      ? []
      : [`Pods: not judged where kube-root-ca.crt does not hold the new CA yet: ${unpublished.join(', ')}`]),
    ...unread.map(({ what, why }) => `${what}: not looked at: ${why}`),
    ...(references.length === 0 && unread.length === 0 ? ['nothing is left to do by hand'] : []),
  ];
}
