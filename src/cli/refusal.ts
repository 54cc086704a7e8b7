import { KubepkiError } from '../errors/error.ts';
import type { PlannedRenewal } from '../operations/plan-renewal.ts';
import { nodeFlags, type NodeOptions } from './node-options.ts';

/** One error for each cause, as a bad CA key stops several certificates; each names the certificates it stops. */
export function refusals(plan: readonly PlannedRenewal[]): KubepkiError[] {
  const byLine = new Map<string, { readonly error: KubepkiError; readonly names: string[] }>();
  for (const planned of plan) {
    if (planned.status !== 'refused') continue;
    const group = byLine.get(planned.error.line) ?? { error: planned.error, names: [] };
    group.names.push(planned.spec.name);
    byLine.set(planned.error.line, group);
  }
  return [...byLine.values()].map(
    ({ error, names }) =>
      new KubepkiError(error.code, `${error.message} (so ${names.join(', ')} cannot be renewed)`, {
        file: error.file,
        hint: error.hint,
        cause: error,
      }),
  );
}

/** The command that renews what could be renewed; undefined when that is nothing. */
export function renewRestHint(plan: readonly PlannedRenewal[], options: NodeOptions): string | undefined {
  const rest = plan.filter(({ status }) => status === 'renewable').map(({ spec }) => spec.name);
  if (rest.length === 0) return undefined;
  return `nothing was changed; to renew the rest: ${['kubepki certs renew', ...rest, ...nodeFlags(options)].join(' ')}`;
}
