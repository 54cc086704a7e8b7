/** What a shell may offer in the place of a value or a name. */
export type Candidates =
  | { readonly kind: 'words'; readonly words: readonly Word[] }
  | { readonly kind: 'file' | 'directory' }
  /** The ID of one, which the shell finds in the state directory by what `--cert-dir` and `--rootfs` on the line say. */
  | { readonly kind: 'backup' }
  /** A duration, say: there is nothing to offer. */
  | { readonly kind: 'anything' };

export interface Word {
  readonly word: string;
  /** Empty: none. */
  readonly description: string;
}

export interface Flag {
  /** `-o`, `--output` */
  readonly names: readonly string[];
  readonly description: string;
  /** undefined: it takes no value. */
  readonly value: Candidates | undefined;
}

/** A command as a shell that completes it must know it. Hidden flags are not in it. */
export interface CommandTree {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** What stands behind it without a dash; undefined: nothing. */
  readonly operands: { readonly candidates: Candidates; readonly variadic: boolean } | undefined;
  readonly commands: readonly CommandTree[];
}

export interface CommandAt {
  /** `kubepki certs renew` */
  readonly path: string;
  readonly command: CommandTree;
}

/** The command and all below it. */
export function everyCommand(command: CommandTree, before: readonly string[] = []): readonly CommandAt[] {
  const path = [...before, command.name];
  return [
    { path: path.join(' '), command },
    ...command.commands.flatMap((child) => everyCommand(child, path)),
  ];
}

/** What may be offered where no flag stands. */
export function operandWords({ operands, commands }: CommandTree): readonly Word[] {
  if (commands.length > 0) return commands.map(({ name, description }) => ({ word: name, description }));
  return operands?.candidates.kind === 'words' ? operands.candidates.words : [];
}
