import { encodeDer, isContext, parseDer, partsOf, tagged } from '../der/der.ts';
import type { Extension } from './extension.ts';
import { describe } from './subject-alt-name.ts';

/** What a SAN holds, told apart for a decision. */
export type ServerName =
  /** As it is written in the SAN, also where that is no host name. */
  | { readonly kind: 'dns'; readonly name: string }
  /** Canonical; an IPv4-mapped one is the IPv4 address. */
  | { readonly kind: 'ip'; readonly address: string }
  /** E-mail, URI, directory name, otherName, an address of a wrong length …; as one reads it. */
  | { readonly kind: 'other'; readonly shown: string };

/** @throws KubepkiError bad-certificate */
export function serverNames(subjectAltName: Extension): readonly ServerName[] {
  return partsOf(tagged('sequence', parseDer(subjectAltName.value))).map((name) => {
    // `describe` looks at the number only, and an INTEGER has that of DNS names.
    if (!isContext(name, name.type))
      return { kind: 'other', shown: `DER:${encodeDer(name).toString('hex')}` };
    const shown = describe(name);
    if (shown.startsWith('DNS:')) return { kind: 'dns', name: shown.slice('DNS:'.length) };
    if (shown.startsWith('IP:')) return { kind: 'ip', address: shown.slice('IP:'.length) };
    return { kind: 'other', shown };
  });
}
