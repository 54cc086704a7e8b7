import { lookAtEach, type Grade, type Look } from './check.ts';
import type { Observed, Waiting } from './observed.ts';
import { troubleOf } from './trouble.ts';

const said: Readonly<Record<Exclude<Waiting['kind'], 'unreadable' | 'busy'>, readonly [Grade, string]>> = {
  'unfinished-change': ['error', 'a change stopped half-way and waits to be brought to an end'],
  'manifest-away': ['error', "a static pod's manifest waits to be put back: its component does not run"],
  restart: ['warning', 'components wait for the restart that was to follow a change'],
  hook: ['warning', 'a deploy hook that was to follow a change has not run'],
  requests: ['note', 'requests for certificates wait in the cluster, and their keys here'],
};

/** What earlier runs have left to be done. */
export function nothingWaits({ waiting }: Observed): Look {
  const troubles = lookAtEach(waiting, (one) => {
    if (one.kind === 'unreadable') return [troubleOf('kubepki', one.file, one.error)];
    if (one.kind === 'busy') {
      const message = 'another run is changing these files at this moment: look again when it has ended';
      return [{ grade: 'unchecked', name: 'kubepki', file: one.file, message }];
    }
    const [grade, message] = said[one.kind];
    return [{ grade, name: 'kubepki', file: one.file, message, hint: `go on with it: ${one.command}` }];
  }).troubles;
  return { looked: Math.max(1, waiting.length), troubles };
}
