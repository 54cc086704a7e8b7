import { hostname } from 'node:os';
import { readNodeTraces } from '../inventory/node-traces.ts';
import { foundIdentity } from '../operations/names/found-identity.ts';
import type { Node } from './node-options.ts';

/**
 * The node's name as the cluster has it, or the machine's; of another root only its files tell it. Where they disagree, the best of
 * them counts: it is a label, and nothing is made of it.
 */
export function nameOfNode({ layout }: Pick<Node, 'layout'>): string | undefined {
  const { nodeName } = foundIdentity(readNodeTraces(layout));
  switch (nodeName.status) {
    case 'found':
      return nodeName.value;
    case 'contradiction':
      return nodeName.traces[0]?.value;
    case 'nothing':
      return layout.root.directory === '/' ? ownName() : undefined;
  }
}

/** A machine without a name calls itself what all such machines do. */
function ownName(): string | undefined {
  const name = hostname().toLowerCase();
  return /^localhost(?:\.|$)/.test(name) ? undefined : name;
}
