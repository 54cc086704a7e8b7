import { type Command, Option } from 'commander';
import { KubepkiError } from '../errors/error.ts';

export function quietOption(): Option {
  return new Option('--quiet', 'silent unless something is wrong or has changed');
}

/**
 * `-o` asks for a document, `--quiet` for none: a script that reads one must not find an empty file some day.
 * @throws KubepkiError usage
 */
export function requireQuietText(command: Command): void {
  const { quiet, output } = command.optsWithGlobals<{
    readonly quiet?: boolean;
    /** Each command's own: a word, or a format with what belongs to it. */
    readonly output?: string | { readonly kind: string };
  }>();
  const format = typeof output === 'object' ? output.kind : (output ?? 'text');
  if (quiet !== true || format === 'text') return;
  throw new KubepkiError('usage', '--quiet does not go with -o, other than -o text', {
    hint: 'leave --quiet out: what reads a document needs it every time',
  });
}
