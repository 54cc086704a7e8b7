import { lookAtEach, type Look, type Trouble } from './check.ts';
import type { Observed } from './observed.ts';
import { isoSeconds } from '../../pki/der/time.ts';

interface Ending {
  readonly name: string;
  readonly file: string;
  readonly notAfter: Date;
  readonly hint: string | undefined;
}

/** Leaves that end soon; one that has ended is the examination's, and a CA has its own horizon. */
export function endsLater(observed: Observed): Look {
  const { subject, withinMs } = observed;
  return lookAtEach(leavesOf(observed), ({ name, file, notAfter, hint }): Trouble[] => {
    const left = notAfter.getTime() - subject.now.getTime();
    if (left < 0 || left > withinMs) return [];
    const days = Math.floor(left / (24 * 3600 * 1000));
    return [
      {
        grade: 'warning',
        name,
        file,
        message: `ends on ${isoSeconds(notAfter)}, in ${days === 0 ? 'less than a day' : `${String(days)}d`}`,
        hint,
      },
    ];
  });
}

/** Those on disk, and what is served at the addresses that were given. */
function leavesOf({ subject: { inventory, command }, live }: Observed): Ending[] {
  const { certificates, etcdClient } = inventory;
  const onDisk = [...certificates, ...(etcdClient === undefined ? [] : [etcdClient.leaf])];
  return [
    ...onDisk.flatMap(({ spec: { name }, state, certificatePath: file }): Ending[] =>
      state.status === 'present'
        ? [
            {
              name,
              file,
              notAfter: state.value.chain[0].notAfter,
              hint: `renew it: ${command(`renew ${name}`)}`,
            },
          ]
        : [],
    ),
    ...(live?.answers ?? []).flatMap((answer): Ending[] =>
      answer.status === 'shown' && answer.endpoint.restart === undefined
        ? [
            {
              name: answer.endpoint.name,
              file: answer.endpoint.name,
              notAfter: answer.chain[0].notAfter,
              hint: undefined,
            },
          ]
        : [],
    ),
  ];
}
