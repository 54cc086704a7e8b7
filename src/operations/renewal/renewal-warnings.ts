import type { PrivateKeys } from '../../inventory/private-keys.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import type { PlannedRenewal, Renewable } from './plan-renewal.ts';

/** The warnings before a renewal, a line each: first those that several certificates share, then those of each one. */
export function renewalWarnings(renewables: readonly Renewable[]): string[] {
  const capped = renewables.filter(({ validity }) => validity.capped);
  const caFiles = new Set(capped.map(({ caFile }) => caFile));
  return [
    ...[...caFiles].map((caFile) => {
      const cut = capped.filter((renewable) => renewable.caFile === caFile);
      const end = cut[0]?.validity.notAfter;
      const names = cut.map(({ spec }) => spec.name).join(', ');
      return `${caFile}: the CA ends on ${end === undefined ? '' : isoSeconds(end)}, and with it: ${names}`;
    }),
    ...renewables.flatMap(({ warnings }) => warnings),
  ];
}

/** A line for each CA that must be renewed before what it has signed can be. */
export function endsFirstWarnings(
  planned: readonly Extract<PlannedRenewal, { status: 'ca-ends-first' }>[],
): string[] {
  const caFiles = new Set(planned.map(({ end }) => end.caFile));
  return [...caFiles].map((caFile) => {
    const held = planned.filter(({ end }) => end.caFile === caFile);
    const caEnd = held[0]?.end.caNotAfter;
    const names = held.map(({ spec }) => spec.name).join(', ');
    return `${caFile}: the CA ends on ${caEnd === undefined ? '' : isoSeconds(caEnd)}: renew it first, as a renewal would not make these last longer: ${names}`;
  });
}

/** Host paths of the files with private keys (a CA's, the service accounts', kubeconfigs) that any user may read or write. */
export function exposedKeys(keys: PrivateKeys): readonly string[] {
  const exposed = [...keys.values()].filter(({ target }) => ((target.before?.mode ?? 0) & 0o007) !== 0);
  return [...new Set(exposed.map(({ target }) => target.path))];
}
