import { KubepkiError } from '../../errors/error.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { orderOf, trustingFits, type RotationFiles } from './state.ts';
import { stages, type RotatedAuthority, type RotationPlan, type Stage } from './plan.ts';
import { isFresh, type Finding } from './conditions.ts';
import type { AuthorityStatus, NodeStatus } from './status.ts';

/** The stage that a change of ours was for, on a worker that of the file that was followed; undefined: it was for none. */
export function stageOfChange({ stage }: { readonly stage?: string | undefined }): Stage | undefined {
  return stages.find((one) => one === stage);
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

/**
 * What this node would be left with that is no part of what is taken back: certificates of the new CA, which nothing would trust any more, and
 * files that a later stage has changed. They are of a change whose backup is gone, or which was none of a stage.
 * @param brought host paths of the files that come back
 */
export function leftBehind(
  stage: Stage,
  authorities: readonly RotatedAuthority[],
  files: RotationFiles,
  brought: ReadonlySet<string>,
): string[] {
  // At each later stage it takes back, the new CA stays trusted.
  if (stage !== 'prepare' && stage !== 'trust') return [];
  return authorities.flatMap((authority) => [
    ...trustingFits(authority, files).flatMap((one) =>
      'error' in one || orderOf(one.first) <= orderOf(stage) || brought.has(one.path)
        ? []
        : [`${one.path} holds ${one.holds}`],
    ),
    ...files.inventory.certificates.flatMap(({ certificatePath, spec, state }) => {
      if (spec.caName !== authority.name || state.status !== 'present') return [];
      const { chain, ...found } = state.value;
      const path = ('certificateFile' in found ? found.certificateFile?.path : undefined) ?? certificatePath;
      return brought.has(path) || !isIssuedBy(chain[0], authority.next)
        ? []
        : [`${path} holds a certificate of the new CA`];
    }),
  ]);
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
