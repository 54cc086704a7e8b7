import { lookAtEach, type Look, type Trouble } from './check.ts';
import type { Observed } from './observed.ts';
import { ofExternalEtcd } from '../examination/finding.ts';
import { isoSeconds } from '../../pki/der/time.ts';

/** Leaves that end soon; one that has ended is the examination's, and a CA has its own horizon. */
export function endsLater({ subject, withinMs }: Observed): Look {
  const { certificates, etcdClient } = subject.inventory;
  const leaves = [...certificates, ...(etcdClient === undefined ? [] : [etcdClient.leaf])];
  return lookAtEach(leaves, (entry): Trouble[] => {
    const {
      spec: { name },
      state,
      certificatePath: file,
    } = entry;
    if (state.status !== 'present') return [];
    const { notAfter } = state.value.chain[0];
    const left = notAfter.getTime() - subject.now.getTime();
    if (left < 0 || left > withinMs) return [];
    return [
      {
        grade: 'warning',
        name,
        file,
        message: endsText(notAfter, left),
        hint: entry === etcdClient?.leaf ? ofExternalEtcd : `renew it: ${subject.command(`renew ${name}`)}`,
      },
    ];
  });
}

/** @param leftMs until then */
export function endsText(notAfter: Date, leftMs: number): string {
  const days = Math.floor(leftMs / (24 * 3600 * 1000));
  return `ends on ${isoSeconds(notAfter)}, in ${days === 0 ? 'less than a day' : `${String(days)}d`}`;
}
