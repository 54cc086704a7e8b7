import type { KubepkiError } from '../../errors/error.ts';
import { exitCodes, nagiosCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Shown } from './present-expiration.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/**
 * Shows what was found out, and then why `--textfile` could not be written.
 * @throws KubepkiError the latter, where a plugin's one line would be less bad than not knowing
 */
export function showExpiration(
  { texts, pluginCode }: Shown,
  unwritten: KubepkiError | undefined,
  terminal: Terminal,
): void {
  const isPlugin = pluginCode !== undefined;
  if (unwritten !== undefined && isPlugin && pluginCode !== nagiosCodes.critical) throw unwritten;
  for (const text of texts) terminal.result(text);
  if (unwritten !== undefined) terminal.error(unwritten);
}

/** Something that expires or has expired is worse than a file that could not be written. */
export function worseOf(code: ExitCode, unwritten: KubepkiError | undefined): ExitCode {
  return unwritten !== undefined && code === exitCodes.done ? exitCodes.error : code;
}
