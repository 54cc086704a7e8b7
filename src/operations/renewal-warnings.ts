import type { Renewable } from './plan-renewal.ts';
import { isoSeconds } from '../pki/time.ts';

/** What to say before renewing, one line each: first what several have in common, then each one's own. */
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
