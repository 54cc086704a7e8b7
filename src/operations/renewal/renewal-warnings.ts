import type { PrivateKeys } from '../../inventory/private-keys.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import type { PlannedRenewal, Renewable } from './plan-renewal.ts';

interface RenewalWarning {
  readonly text: string;
  readonly hint?: string | undefined;
}

/** The warnings before a renewal: first those that several certificates share, then those of each one. */
export function renewalWarnings(renewables: readonly Renewable[]): RenewalWarning[] {
  const capped = renewables.filter(({ validity }) => validity.capped);
  const caFiles = new Set(capped.map(({ caFile }) => caFile));
  return [
    ...[...caFiles].map((caFile) => {
      const cut = capped.filter((renewable) => renewable.caFile === caFile);
      const end = cut[0]?.validity.notAfter;
      const names = cut.map(({ spec }) => spec.name).join(', ');
      return {
        text: `${caFile}: the CA ends on ${end === undefined ? '' : isoSeconds(end)}, and with it: ${names}`,
        hint: cut[0]?.caRemedy,
      };
    }),
    ...renewables.flatMap(({ warnings }) => warnings.map((text) => ({ text }))),
  ];
}

/** One for each CA that must be renewed before what it has signed can be. */
export function endsFirstWarnings(
  planned: readonly Extract<PlannedRenewal, { status: 'ca-ends-first' }>[],
): RenewalWarning[] {
  const caFiles = new Set(planned.map(({ end }) => end.caFile));
  return [...caFiles].map((caFile) => {
    const held = planned.filter(({ end }) => end.caFile === caFile);
    const first = held[0]?.end;
    const caEnd = first?.caNotAfter;
    const names = held.map(({ spec }) => spec.name).join(', ');
    return {
      text: `${caFile}: the CA ends on ${caEnd === undefined ? '' : isoSeconds(caEnd)}: renew it first, as a renewal would not make these last longer: ${names}`,
      hint: first?.caRemedy,
    };
  });
}

/** Host paths of the files with private keys (a CA's, the service accounts', kubeconfigs) that any user may read or write. */
export function exposedKeys(keys: PrivateKeys): readonly string[] {
  const exposed = [...keys.values()].filter(({ target }) => ((target.before?.mode ?? 0) & 0o007) !== 0);
  return [...new Set(exposed.map(({ target }) => target.path))];
}
