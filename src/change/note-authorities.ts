import { authorityRemarks } from '../operations/places/kubeconfig-authority.ts';
import type { Place } from '../operations/places/place.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Says of each kubeconfig among the places which CAs it gets, and which it has that ca.crt has not. */
export function noteAuthorities(placed: readonly { readonly place: Place }[], terminal: Terminal): void {
  const kubeconfigs = placed.flatMap(({ place }) => place.trusting ?? []);
  for (const { kind, text, hint } of kubeconfigs.flatMap(authorityRemarks)) {
    terminal[kind](text);
    terminal.hint(hint);
  }
}
