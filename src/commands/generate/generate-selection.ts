import { initSpecs, type InitSpec } from '../../catalog/init-order.ts';
import type { NodeOptions } from '../../node/node-options.ts';
import { requireCertificateNames } from '../../flags/names/unknown-name.ts';

export interface GenerateSelection {
  /** In kubeadm's order. */
  readonly selected: readonly InitSpec[];
  /** Those that were called by their own name. */
  readonly named: ReadonlySet<InitSpec>;
}

/**
 * `all` (the default), `kubeconfigs`, and names; together they add up: `all sa` makes everything, and the service-account key
 * where it would not be made unasked.
 * @param options for the command lines in hints
 * @throws KubepkiError usage
 */
export function parseGenerateSelection(names: readonly string[], options: NodeOptions): GenerateSelection {
  const wanted = names.length === 0 ? ['all'] : names;
  const allowed = ['all', 'kubeconfigs', ...initSpecs.map(({ name }) => name)];
  requireCertificateNames(wanted, allowed, { verb: 'generated', options });
  const named = new Set(initSpecs.filter(({ name }) => wanted.includes(name)));
  const selected = initSpecs.filter(
    (spec) =>
      named.has(spec) ||
      wanted.includes('all') ||
      (wanted.includes('kubeconfigs') && spec.kind === 'kubeconfig'),
  );
  return { selected, named };
}
