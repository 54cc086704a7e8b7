import { printable } from '../printable.ts';

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
