import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import { realChanges, type FileChange } from '../../changeset/change-set.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { KubeconfigState } from '../../inventory/inventory.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { authorityFile, trustedByKubeconfigs } from '../rotation/edits.ts';
import type { Accepted, RotatedAuthority, Stage } from '../rotation/plan.ts';
import { saidOf } from '../rotation/plan-stage.ts';
import { boundsOf, orderOf, reachedBy, trustingFits, type RotationFiles } from '../rotation/state.ts';
import type { Transfer, Trusted, TransferredAuthority } from '../rotation/transfer.ts';

/** What the operator can give his word for, by the names that `--accept` takes. */
export const acceptable = ['older-file', 'skipped-stage'] as const;

export type Acceptable = (typeof acceptable)[number];

/** What a rotation's file does to a node that is not a control plane. It has one CA of the three. */
export interface WorkerPlan {
  /** Where there is one, nothing is changed. */
  readonly errors: readonly KubepkiError[];
  readonly authority: TransferredAuthority;
  /** What the CA's file of the exporting node says. */
  readonly stage: FileStage;
  /** The CAs that this node trusts, where they will be others. */
  readonly edits: readonly FileChange[];
  /** The kubelet's own certificate, where the old CA has signed it, and the new one signs by now. */
  readonly renewed: KubeconfigState | undefined;
  /** The operator's word, as far as it was needed. */
  readonly accepted: readonly Accepted[];
}

/** `finish` changes nothing on a worker. */
export type FileStage = Exclude<Stage, 'finish'>;

interface WorkerSettings {
  readonly accepted: readonly Acceptable[];
  /** RFC 3339, UTC, whole seconds. */
  readonly time: string;
  readonly command: CommandLine;
}

const stageOfFile: Readonly<Record<Trusted, FileStage>> = {
  old: 'prepare',
  'old-next': 'trust',
  'next-old': 'switch',
  next: 'distrust',
};

/**
 * Decides what is left to do until the node is at the stage of the file.
 * @param transfer trustworthy for this node
 * @throws KubepkiError bad-transfer where it is not about the cluster's CA
 */
export function planWorker(transfer: Transfer, files: RotationFiles, settings: WorkerSettings): WorkerPlan {
  const authority = transfer.authorities.find(({ name }) => name === 'ca');
  if (authority === undefined) {
    throw new KubepkiError('bad-transfer', "is not about the cluster's CA, and this node has no other");
  }
  const stage = stageOfFile[authority.trusted];
  const errors: KubepkiError[] = [];
  const attempt = <T>(make: () => T, otherwise: T): T => {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      errors.push(error);
      return otherwise;
    }
  };
  const accepted = attempt(() => requireNeighbour(stage, authority, files, settings), []);
  const edits = attempt(
    () => [...authorityFile(stage, authority, files), ...trustedByKubeconfigs(stage, authority, files)],
    [],
  );
  const signs = orderOf(stage) >= orderOf('switch');
  const ofOld = attempt(() => kubeletOfOld(authority, files), undefined);
  return {
    errors,
    authority,
    stage,
    edits: realChanges(edits),
    renewed: signs ? ofOld : undefined,
    accepted,
  };
}

/**
 * Only a neighbour of the stage that the node is at works together with it, whatever the other nodes are at.
 * @returns the words of the operator that were needed
 * @throws KubepkiError conflict
 */
function requireNeighbour(
  stage: FileStage,
  authority: RotatedAuthority,
  files: RotationFiles,
  { accepted, time, command }: WorkerSettings,
): Accepted[] {
  const fits = trustingFits(authority, files).map((one) => {
    if ('error' in one) throw one.error.about(one.path);
    return one;
  });
  const found = reachedBy(fits);
  if (found.kind === 'unclear') throw new TypeError('fits alone are never unclear');
  const [lowest, highest] = boundsOf(found);
  const order = orderOf(stage);
  const word = order < highest ? 'older-file' : order > lowest + 1 ? 'skipped-stage' : undefined;
  if (word === undefined) return [];
  if (accepted.includes(word)) return [{ condition: word, stage, time }];
  const mayGoOn = `or, if you know better: --accept ${word}`;
  throw word === 'older-file'
    ? new KubepkiError(
        'conflict',
        `the file is of the stage ${stage}, and this node is further: ${saidOf(found)}`,
        {
          hint: `take the file that a control plane exports now; to go back a stage: ${command('ca rollback')}; ${mayGoOn}`,
        },
      )
    : new KubepkiError(
        'conflict',
        `the file is of the stage ${stage}, more than one further than this node: ${saidOf(found)}`,
        {
          hint: `take the file that was exported at the stage between first; ${mayGoOn}`,
        },
      );
}

/**
 * The kubelet's certificate, where it is of the old CA.
 * @throws KubepkiError foreign-issuer for one that is of neither
 */
function kubeletOfOld(
  { old, next }: RotatedAuthority,
  { inventory }: RotationFiles,
): KubeconfigState | undefined {
  const entry = inventory.certificates.find(({ spec }) => spec === kubeletKubeconfig);
  if (entry?.kind !== 'kubeconfig' || entry.state.status === 'missing') return undefined;
  if (entry.state.status === 'unreadable') throw entry.state.error;
  const [leaf] = entry.state.value.chain;
  if (isIssuedBy(leaf, next)) return undefined;
  if (isIssuedBy(leaf, old)) return entry.state.value;
  throw new KubepkiError(
    'foreign-issuer',
    "the kubelet's certificate is signed by neither the old nor the new CA",
    {
      file: entry.certificatePath,
    },
  );
}

/** Without a certificate of the new CA the kubelet must not be left alone with API servers that know no other. */
export function requireRenewed({ stage, renewed }: WorkerPlan, command: CommandLine): void {
  if (stage !== 'distrust' || renewed === undefined) return;
  throw new KubepkiError(
    'in-use',
    "the kubelet's certificate is of the old CA, which API servers refuse from this stage on",
    {
      file: renewed.certificateFile?.path ?? renewed.file.path,
      hint: `have it asked for anew first: the same command without --offline; where the API servers refuse the kubelet already, make another kubelet.conf where the CA's key is: ${command('generate kubelet.conf')}`,
    },
  );
}
