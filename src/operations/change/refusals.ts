import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';

/** What became of one certificate in a plan. */
interface Planned {
  readonly spec: { readonly name: string };
  readonly error?: KubepkiError;
}

/** One error for each cause, as a bad CA key stops several certificates; each names the certificates it stops. */
export function refusals(
  plan: readonly Planned[],
  verb: 'renewed' | 'requested' | 'generated',
): KubepkiError[] {
  const byLine = new Map<string, { readonly error: KubepkiError; readonly names: string[] }>();
  for (const planned of plan) {
    if (planned.error === undefined) continue;
    const group = byLine.get(planned.error.oneLine) ?? { error: planned.error, names: [] };
    group.names.push(planned.spec.name);
    byLine.set(planned.error.oneLine, group);
  }
  return [...byLine.values()].map(
    ({ error, names }) =>
      new KubepkiError(error.code, `${error.message} (so ${names.join(', ')} cannot be ${verb})`, {
        file: error.file,
        hint: error.hint,
        cause: error,
      }),
  );
}

/** The command that renews what could be renewed; undefined when that is nothing. */
export function renewRestHint(rest: readonly string[], command: CommandLine): string | undefined {
  if (rest.length === 0) return undefined;
  return `nothing was changed; to renew the rest: ${command(['renew', ...rest].join(' '))}`;
}
