import { printableLines } from '../printable.ts';
import { kubeadmDate } from '../times.ts';

/** The backup that comes back, and the command that had made it. */
export interface BroughtBack {
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
  readonly command: string;
  /** The number of files that change. */
  readonly files: number;
}

export interface RolledBack {
  readonly name: string;
  /** RFC 3339; undefined: there was no certificate, so there is none now. */
  readonly notAfter: string | undefined;
}

/** The result of a rollback: the backup that came back, and each certificate with its end. */
export function rollbackLines(backup: BroughtBack, certificates: readonly RolledBack[]): string {
  const ends = certificates.map(({ name, notAfter }) =>
    notAfter === undefined
      ? `${name} is gone, as it was then`
      : `${name} ends ${kubeadmDate(new Date(notAfter))}`,
  );
  const are = backup.files === 1 ? '1 file is as it was' : `${String(backup.files)} files are as they were`;
  return printableLines([
    `rolled back: ${are} ${before(backup)}`,
    `taken back: ${backup.command}`,
    ...ends.map((line) => `  ${line}`),
  ]);
}

export function plannedRollback(backup: BroughtBack): string {
  const files = backup.files === 1 ? '1 file' : `${String(backup.files)} files`;
  return printableLines([
    `would roll back ${files} to ${before(backup)}`,
    `would take back: ${backup.command}`,
  ]);
}

export function nothingToRollBack(backup: BroughtBack): string {
  return printableLines([`nothing to roll back: every file is as it was ${before(backup)}`]);
}

function before({ time, id }: BroughtBack): string {
  return `before ${time} (${id})`;
}

/** The interrupted change, and what `recover` would do about it. */
type PlannedRecovery =
  | { readonly outcome: 'none' }
  | {
      readonly outcome: 'undone' | 'completed' | 'back';
      readonly command: string;
      readonly files: readonly string[];
    };

const would = {
  undone: 'would clean up what this prepared, no file has changed yet',
  completed: 'would complete',
  back: 'would take back',
} as const;

interface RecoveryPlan {
  /** The manifest of a static pod that a restart took away; undefined: none is away. */
  readonly manifest: { readonly path: string; readonly command: string } | undefined;
  readonly change: PlannedRecovery;
}

/** @param discard `--discard`: the change is given up as it is */
export function recoveryPlan(
  { manifest, change }: RecoveryPlan,
  { discard }: { readonly discard: boolean },
): string {
  const manifestLines =
    manifest === undefined
      ? []
      : [`would put a manifest back in its place: ${manifest.command}`, `  ${manifest.path}`];
  const changeLines =
    change.outcome === 'none'
      ? []
      : [
          `${discard ? 'would give up, leaving every file as it is' : would[change.outcome]}: ${change.command}`,
          ...change.files.map((file) => `  ${file}`),
        ];
  const found = [...manifestLines, ...changeLines];
  const lines = found.length === 0 ? ['nothing to recover'] : found;
  return printableLines([...lines, 'nothing was changed (--dry-run)']);
}
