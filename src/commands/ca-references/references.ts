import type { clusterFlags, Typed } from '../../flags/table.ts';
import { openNode, readConfiguration, type NodeOptions } from '../../node/node-options.ts';
import { readClusterHoldings, type ClusterHoldings } from '../../node/references/cluster-references.ts';
import { readFileHoldings } from '../../node/references/file-references.ts';
import { soughtHere } from '../../node/references/sought.ts';
import { readRotation } from '../../node/rotation/rotation.ts';
import { fileReference, objectReference, podReferences } from '../../operations/references/mend.ts';
import type { Found } from '../../operations/references/reference.ts';
import { referencesDocument } from '../../render/rotation/references-document.ts';
import { referenceLines } from '../../render/rotation/references.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export interface ReferencesOptions extends NodeOptions, Typed<(typeof clusterFlags)[number] | 'output'> {}

async function show(found: Found, output: ReferencesOptions['output'], terminal: Terminal): Promise<void> {
  const look = output === 'text' ? terminal.tableLook() : undefined;
  if (look === undefined) {
    terminal.result(output === 'text' ? referenceLines(found) : referencesDocument(found, output));
    return;
  }
  const { referenceTables } = await import('../../terminal/tables/references.ts');
  for (const text of referenceTables(found, look)) terminal.result(text);
}

/** Finds what holds the CAs, and shows what mends each. */
export async function showReferences(options: ReferencesOptions, terminal: Terminal): Promise<ExitCode> {
  const node = openNode(options, await readConfiguration(options, terminal));
  const rotation = readRotation(node);
  const sought = soughtHere(node, rotation);
  const files = readFileHoldings(node, sought);
  const cluster = await readCluster();
  const found = {
    rotation: rotation?.plan.id,
    references: [
      ...cluster.holdings.map(objectReference),
      ...files.holdings.map(fileReference),
      ...podReferences(cluster.pods?.pods ?? []),
    ],
    unpublished: cluster.pods?.unpublished ?? [],
    unread: [...cluster.unread, ...files.unread],
  };
  const { output } = options;
  await show(found, output, terminal);
  return found.unread.length === 0 ? exitCodes.done : exitCodes.error;

  async function readCluster(): Promise<ClusterHoldings> {
    if (options.offline === true) return { holdings: [], pods: undefined, unread: [] };
    const progress = terminal.progress('looking for the CAs in the cluster');
    try {
      return await readClusterHoldings(node, sought, rotation, options);
    } finally {
      progress.end();
    }
  }
}
