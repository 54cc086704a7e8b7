import type { CaName } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Node } from '../../node/node-options.ts';
import { observe } from '../../node/observe.ts';
import { troublesOf, verification, type Told } from '../../operations/verification/verification.ts';

/** What is wrong with a CA that is replaced for just that; and what each stage mends by itself. */
const passedOver: ReadonlySet<string> = new Set([
  ...['ca-expired', 'ca-ends', 'weak-key', 'signature'],
  'cluster-signing',
]);

/** The errors that `verify` finds on this node, but for the end, the key and the signature of these CAs. */
export function faultsHere(node: Node, authorities: readonly CaName[], now: Date): readonly Told[] {
  const people = { users: [], kubeconfigs: [] };
  const observed = observe(node, { now, withinMs: 0, cis: false, certsOnly: false, people });
  return troublesOf(verification(observed)).filter(
    ({ grade, check, name }) =>
      grade === 'error' &&
      !(
        passedOver.has(check) &&
        (check === 'cluster-signing' || authorities.some((authority) => authority === name))
      ),
  );
}

/** @throws KubepkiError conflict */
export function requireSound(node: Node, authorities: readonly CaName[], now: Date): void {
  const [first, ...others] = faultsHere(node, authorities, now);
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `; "kubepki verify" finds ${String(others.length)} more`;
  throw new KubepkiError('conflict', `${first.message}${more}`, { file: first.file, hint: first.hint });
}
