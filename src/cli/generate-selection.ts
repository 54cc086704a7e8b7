import { initSpecs, type InitSpec } from '../catalog/init-order.ts';
import { KubepkiError } from '../errors/error.ts';

export interface GenerateSelection {
  /** In kubeadm's order. */
  readonly selected: readonly InitSpec[];
  /** Those that were called by their own name. */
  readonly named: ReadonlySet<InitSpec>;
}

/**
 * `all` (the default), `kubeconfigs`, and names; together they add up: `all sa` makes everything, and the service-account key
 * where it would not be made unasked.
 * @throws KubepkiError usage
 */
export function parseGenerateSelection(names: readonly string[]): GenerateSelection {
  const wanted = names.length === 0 ? ['all'] : names;
  const unknown = wanted.find(
    (name) => name !== 'all' && name !== 'kubeconfigs' && !initSpecs.some((spec) => spec.name === name),
  );
  if (unknown !== undefined) {
    throw new KubepkiError('usage', `unknown certificate ${JSON.stringify(unknown)}`, {
      hint: `use one of: all, kubeconfigs, ${initSpecs.map(({ name }) => name).join(', ')}`,
    });
  }
  const named = new Set(initSpecs.filter(({ name }) => wanted.includes(name)));
  const selected = initSpecs.filter(
    (spec) =>
      named.has(spec) ||
      wanted.includes('all') ||
      (wanted.includes('kubeconfigs') && spec.kind === 'kubeconfig'),
  );
  return { selected, named };
}
