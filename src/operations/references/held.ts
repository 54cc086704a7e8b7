import type { CaName } from '../../catalog/catalog.ts';
import { isCa, type Certificate } from '../../pki/certificate/certificate.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { certificatesIn, isOnlyPem } from './certificates-in.ts';

/** A CA that is looked for. */
export interface Sought {
  readonly name: CaName;
  /** One; several where the file of a CA holds several, and none of them is replaced. */
  readonly old: readonly Certificate[];
  /** undefined: it is not replaced. */
  readonly next: Certificate | undefined;
  /** Where this node has what is to be trusted now, as a command names it. */
  readonly file: string;
}

/** What a text has of a CA. */
export interface Held {
  readonly authority: CaName;
  /** Whether another takes the place of that CA. */
  readonly isRotated: boolean;
  /** {@link Sought.file} */
  readonly file: string;
  /**
   * - `old`: trusts the old CA, and not the new one
   * - `both`: trusts both
   * - `issued`: holds a certificate that the old CA has signed, and may show it
   */
  readonly what: 'old' | 'both' | 'issued';
  /** The CA's file here may take the place of the text: nothing else is in it. */
  readonly isReplaceable: boolean;
}

/** Looks for CAs in a text. What it says of a text, and nothing of the text itself, goes on from here. */
export function heldIn(text: string, sought: readonly Sought[]): Held[] {
  const all = certificatesIn(text);
  if (all.length === 0) return [];
  return sought.flatMap(({ name, old, next, file }): Held[] => {
    const common = { authority: name, isRotated: next !== undefined, file };
    const isOld = ({ der }: Certificate): boolean => old.some((one) => one.der.equals(der));
    const isNext = ({ der }: Certificate): boolean => next?.der.equals(der) === true;
    const trusts = all.some(isOld)
      ? [
          {
            ...common,
            what: all.some(isNext) ? ('both' as const) : ('old' as const),
            isReplaceable: isOnlyPem(text) && all.every((one) => isOld(one) || isNext(one)),
          },
        ]
      : [];
    // The old CA has signed itself, and the cross-certificate.
    const issued = all.some((one) => !isCa(one) && old.some((authority) => isIssuedBy(one, authority)));
    return issued ? [...trusts, { ...common, what: 'issued', isReplaceable: false }] : trusts;
  });
}
