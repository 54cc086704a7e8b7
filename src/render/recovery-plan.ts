import { printable } from './printable.ts';

/** What `recover` would find and do. */
export type PlannedRecovery =
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

/** @param discard `--discard`: the change is given up as it is */
export function recoveryPlan(recovery: PlannedRecovery, { discard }: { readonly discard: boolean }): string {
  const lines =
    recovery.outcome === 'none'
      ? ['nothing to recover']
      : [
          `${discard ? 'would give up, leaving every file as it is' : would[recovery.outcome]}: ${recovery.command}`,
          ...recovery.files.map((file) => `  ${file}`),
        ];
  return [...lines, 'nothing was changed (--dry-run)'].map((line) => `${printable(line)}\n`).join('');
}
