import { isoSeconds } from '../../pki/der/time.ts';
import { remedyFor } from '../examination/authority-remedy.ts';
import { inUseOf, type Subject } from '../examination/examination.ts';
import { caHorizonMs } from '../verification/horizon.ts';

/** A line for each CA that has expired, or ends within the time that `verify` warns of, with its next step. */
export function endingAuthorities(subject: Subject): string[] {
  const { inventory, now, command } = subject;
  return inventory.authorities.flatMap((entry) => {
    const certificate = inUseOf(entry, subject);
    if (certificate === undefined) return [];
    const { notAfter } = certificate;
    const left = notAfter.getTime() - now.getTime();
    if (left >= caHorizonMs) return [];
    const ends = left < 0 ? 'has expired' : `ends on ${isoSeconds(notAfter)}`;
    return [`the CA ${entry.spec.name} ${ends}: ${remedyFor(entry, certificate, command)}`];
  });
}
