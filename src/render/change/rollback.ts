import { printable } from '../printable.ts';
import { kubeadmDate } from '../times.ts';

/** The backup that comes back, and what had made it. */
export interface BroughtBack {
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
  readonly command: string;
  /** How many change. */
  readonly files: number;
}

export interface RolledBack {
  readonly name: string;
  /** RFC 3339; undefined: there was none, so there is none now. */
  readonly notAfter: string | undefined;
}

/** What a rollback has brought back: from which backup, and each certificate with its end. */
export function rollbackLines(backup: BroughtBack, certificates: readonly RolledBack[]): string {
  const ends = certificates.map(({ name, notAfter }) =>
    notAfter === undefined
      ? `${name} is gone, as it was then`
      : `${name} ends ${kubeadmDate(new Date(notAfter))}`,
  );
  const are = backup.files === 1 ? '1 file is as it was' : `${String(backup.files)} files are as they were`;
  return lines([
    `rolled back: ${are} ${before(backup)}`,
    `taken back: ${backup.command}`,
    ...ends.map((line) => `  ${line}`),
  ]);
}

/** The heading of a dry run. */
export function plannedRollback(backup: BroughtBack): string {
  const files = backup.files === 1 ? '1 file' : `${String(backup.files)} files`;
  return lines([`would roll back ${files} to ${before(backup)}`, `would take back: ${backup.command}`]);
}

export function nothingToRollBack(backup: BroughtBack): string {
  return lines([`nothing to roll back: every file is as it was ${before(backup)}`]);
}

function before({ time, id }: BroughtBack): string {
  return `before ${time} (${id})`;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${printable(text)}\n`).join('');
}

/** What `recover` would find and do. */
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
  return [...lines, 'nothing was changed (--dry-run)'].map((line) => `${printable(line)}\n`).join('');
}
