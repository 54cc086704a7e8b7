import { printableLines } from '../printable.ts';

export interface ShownStage {
  readonly stage: 'trust' | 'switch' | 'finish';
  /** The id of the key that signs afterwards. */
  readonly signing: string;
  /** The id of the next or the old key; undefined: it is yet to be made. */
  readonly other: string | undefined;
  /** What changes. */
  readonly files: readonly string[];
}

/** What a stage did to this node, or would do. */
export function stageLines(shown: ShownStage, { dryRun }: { readonly dryRun: boolean }): string {
  const { stage, files } = shown;
  return printableLines([
    files.length === 0 ? `nothing to do: this node is at ${stage} already` : sentence(shown),
    ...files.map((file) => `  ${file}`),
    ...(dryRun ? ['nothing was changed (--dry-run)'] : []),
  ]);
}

function sentence({ stage, signing, other = 'that is yet to be made' }: ShownStage): string {
  switch (stage) {
    case 'trust':
      return `trust: tokens of the next key ${other} will be taken for good; ${signing} signs`;
    case 'switch':
      return `switch: ${signing} will sign; tokens of the old key ${other} stay good`;
    case 'finish':
      return `finish: tokens of the old key ${other} will be refused; ${signing} signs`;
  }
}

/** What was destroyed with a key, or would be. */
export function destroyedLines(
  {
    id,
    file,
    backups,
  }: { readonly id: string; readonly file: string | undefined; readonly backups: readonly string[] },
  { dryRun }: { readonly dryRun: boolean },
): string {
  return printableLines([
    `${dryRun ? 'would destroy' : 'destroyed'} the key ${id}`,
    ...(file === undefined ? [] : [`  ${file}`]),
    ...backups.map((backup) => `  backup ${backup}`),
    ...(dryRun ? ['nothing was changed (--dry-run)'] : []),
  ]);
}
