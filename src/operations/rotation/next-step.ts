import { stageAfter } from './conditions.ts';
import { orderOf } from './state.ts';
import { stages, type Stage } from './plan.ts';
import type { AuthorityStatus, NodeStatus } from './status.ts';

/** A node, and the stage that it has reached with all CAs. */
export interface Standing {
  readonly node: string;
  readonly role: NodeStatus['role'];
  readonly stage: Stage;
}

export function standings(nodes: readonly NodeStatus[]): Standing[] {
  return nodes.map((one) => ({ node: one.node, role: one.role, stage: lowestOf(one) }));
}

/** What is to be done next in a rotation, and where. */
export type NextStep =
  | { readonly kind: 'none' }
  /** A file belongs to no stage. */
  | { readonly kind: 'unclear'; readonly nodes: readonly string[] }
  | {
      readonly kind: 'stage';
      readonly stage: Stage;
      /** The control planes, and the other nodes, that are not there yet. */
      readonly controlPlanes: readonly string[];
      readonly workers: readonly string[];
      /** Nodes of the cluster of which nothing is known. */
      readonly silent: readonly string[];
    }
  | { readonly kind: 'over' };

/** @param nodes this node first */
export function nextStep(nodes: readonly [NodeStatus, ...NodeStatus[]]): NextStep {
  const [own] = nodes;
  if (own.rotation === undefined) return { kind: 'none' };
  const unclear = nodes.filter(({ authorities }) => authorities.some(({ reached }) => reached === 'unclear'));
  if (unclear.length > 0) return { kind: 'unclear', nodes: unclear.map(({ node }) => node) };
  const lowest = stages.find((stage) => nodes.some((one) => lowestOf(one) === stage)) ?? 'prepare';
  const stage = stageAfter(lowest);
  if (stage === undefined) return { kind: 'over' };
  const behind = nodes.filter((one) => orderOf(lowestOf(one)) < orderOf(stage));
  const listed = own.cluster.status === 'measured' ? own.cluster.value.nodes : own.cluster;
  return {
    kind: 'stage',
    stage,
    controlPlanes: behind.filter(({ role }) => role === 'control-plane').map(({ node }) => node),
    workers: behind.filter(({ role }) => role === 'worker').map(({ node }) => node),
    silent:
      listed.status === 'measured'
        ? listed.value.map(({ name }) => name).filter((name) => !nodes.some(({ node }) => node === name))
        : [],
  };
}

/** The stage that a node has reached with all CAs. */
function lowestOf({ authorities }: Pick<NodeStatus, 'authorities'>): Stage {
  return stages.find((stage) => authorities.some((one) => completed(one) === stage)) ?? 'prepare';
}

/** The last stage for which every file is as it should be. A worker may be right for several. */
export function completed({
  reached,
  first,
  last,
}: Pick<AuthorityStatus, 'reached' | 'first' | 'last'>): Stage {
  return reached === 'at' ? last : first;
}
