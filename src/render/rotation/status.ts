import type { AuthorityStatus, Measured, NodeStatus } from '../../operations/rotation/status.ts';
import { printableLines } from '../printable.ts';

/** Where a node is, for people: its files, what runs on it, and the cluster as it sees it. */
export function statusLines(status: NodeStatus): string {
  const { node, role, rotation, authorities, running, servers, cluster } = status;
  if (rotation === undefined) return printableLines([`${node} (${role}): no rotation is prepared here`]);
  const { id, createdAt, accepted } = rotation;
  return printableLines([
    `${node} (${role}): rotation ${id}, prepared ${createdAt}`,
    ...authorities.flatMap(authorityLines),
    ...partLines('started', running, (all) =>
      all.map(({ process, stale }) =>
        stale.length === 0
          ? `${process} has started after its files changed`
          : `${process} has to be restarted: ${stale.join(', ')} changed since`,
      ),
    ),
    ...partLines('served', servers, (all) =>
      all.map(
        ({ name, address, authority, serves, acceptsOld, acceptsNext, why }) =>
          `${name} at ${address} (${authority}) shows ${serves}, takes old: ${acceptsOld}, new: ${acceptsNext}` +
          (why === undefined ? '' : ` (${why})`),
      ),
    ),
    ...partLines('cluster', cluster, (value) => {
      const { nodes, rootCas, clientCas, headerCas, clusterInfo, unavailable, signer, oldPods } = value;
      const both = (all: readonly { readonly hasOld: boolean; readonly hasNext: boolean }[]): string =>
        `old in ${String(all.filter(({ hasOld }) => hasOld).length)}, new in ${String(all.filter(({ hasNext }) => hasNext).length)} of ${String(all.length)}`;
      return [
        ...said(
          'nodes',
          nodes,
          (all) => `${String(all.filter(({ isReady }) => isReady).length)} of ${String(all.length)} Ready`,
        ),
        ...said('kube-root-ca.crt', rootCas, both),
        ...said('extension-apiserver-authentication, clients', clientCas, (one) => both([one])),
        ...said('extension-apiserver-authentication, front proxy', headerCas, (one) => both([one])),
        ...said('cluster-info', clusterInfo, (one) => both([one])),
        ...said('APIServices', unavailable, (names) =>
          names.length === 0 ? 'all available' : `not available: ${names.join(', ')}`,
        ),
        ...said('signer of requests', signer, (one) => one),
        ...said('pods older than the new CA', oldPods, (names) =>
          names.length === 0 ? 'none' : names.join(', '),
        ),
      ];
    }),
    ...accepted.map(({ condition, stage, time }) => `accepted   ${condition} before ${stage}, ${time}`),
  ]);
}

function authorityLines({ name, reached, first, last, files }: AuthorityStatus): string[] {
  const where = {
    at: first === last ? `at ${first}` : `right for ${first} to ${last}`,
    between: `between ${first} and ${last}: some files are not at ${last} yet`,
    unclear: 'unclear: some files belong to no stage',
  }[reached];
  return [
    `files      ${name}: ${where}`,
    ...files.map(({ path, holds }) => `             ${path}: ${holds}`),
  ];
}

function partLines<T>(name: string, measured: Measured<T>, lines: (value: T) => readonly string[]): string[] {
  const all = measured.status === 'measured' ? lines(measured.value) : [`not measured: ${measured.why}`];
  return all.map((line) => `${name.padEnd(9)}  ${line}`);
}

function said<T>(what: string, measured: Measured<T>, text: (value: T) => string): string[] {
  return [
    `${what}: ${measured.status === 'measured' ? text(measured.value) : `not measured (${measured.why})`}`,
  ];
}
