import { KubepkiError } from '../../errors/error.ts';
import { orderOf } from './state.ts';
import { stages, type RotationPlan, type Stage } from './plan.ts';
import { isFresh, type Finding } from './conditions.ts';
import type { AuthorityStatus, NodeStatus } from './status.ts';

/**
 * The stage that a change of ours was for; undefined: it was for none that can be taken back. On a control plane the command line says it. On
 * a worker it is the stage of the file that was followed, which no command line says.
 */
export function stageOfChange({
  command,
  stage,
}: {
  readonly command: string;
  readonly stage?: string | undefined;
}): Stage | undefined {
  const [, word] = /^kubepki (?:.* )?ca rotate (prepare|trust|switch|distrust|finish)\b/.exec(command) ?? [];
  return stages.find((one) => one === (word ?? stage));
}

/** What another node has said counts for an hour, and for the same rotation. */
export function strangeStatuses(
  { id }: Pick<RotationPlan, 'id'>,
  nodes: readonly NodeStatus[],
  now: Date,
): Finding[] {
  return nodes.flatMap(({ node, rotation, at }): Finding[] => {
    if (rotation?.id !== id) return [{ kind: 'unmet', reason: `${node} is not in this rotation` }];
    return isFresh(at, now)
      ? []
      : [{ kind: 'unmet', reason: `the status of ${node} is of ${at.toISOString()}` }];
  });
}

/**
 * Why a stage must not be taken back: a node is a stage ahead of it, and shows certificates that this node would not trust then, or trusts
 * no more what this node would show.
 * @param nodes what the other nodes have sent
 */
export function standingInTheWay(stage: Stage, nodes: readonly NodeStatus[]): Finding[] {
  return nodes.flatMap(({ node, authorities }) =>
    authorities
      .filter((one) => orderOf(furthest(one)) > orderOf(stage))
      .map((one): Finding => ({
        kind: 'unmet',
        reason: `${node} is at ${furthest(one)} with ${one.name}, and goes back first`,
      })),
  );
}

/** The first stage at which some file is right that is right at none before. */
function furthest({ reached, first, last }: AuthorityStatus): Stage {
  return reached === 'between' ? last : first;
}

/** @throws KubepkiError no-backup */
export function nothingToTakeBack(file: string): KubepkiError {
  return new KubepkiError('no-backup', 'no stage of this rotation is there to be taken back', {
    file,
    hint: 'after "finish" with --destroy-old-key there is no way back',
  });
}
