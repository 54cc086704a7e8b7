import { authorityRemarks, type TrustingKubeconfig } from '../operations/issuing/kubeconfig-authority.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Says of each kubeconfig which CAs it gets, and which it has that ca.crt has not. */
export function noteAuthorities(kubeconfigs: readonly TrustingKubeconfig[], terminal: Terminal): void {
  for (const { kind, text, hint } of kubeconfigs.flatMap(authorityRemarks)) {
    terminal[kind](text);
    terminal.hint(hint);
  }
}
