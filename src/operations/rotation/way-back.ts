import { KubepkiError } from '../../errors/error.ts';
import { orderOf } from './state.ts';
import { stages, type Stage } from './plan.ts';
import type { Finding } from './conditions.ts';
import type { AuthorityStatus, NodeStatus } from './status.ts';

/** The stage that a command line of ours was for; undefined: it was for none that can be taken back. */
export function stageOfCommand(command: string): Exclude<Stage, 'finish'> | undefined {
  const [, word] = /^kubepki (?:.* )?ca rotate (prepare|trust|switch|distrust)\b/.exec(command) ?? [];
  return stages.find((stage): stage is Exclude<Stage, 'finish'> => stage === word && stage !== 'finish');
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
