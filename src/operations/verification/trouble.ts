import type { KubepkiError } from '../../errors/error.ts';
import type { Trouble } from './check.ts';

/**
 * Why something could not be read: a wrong file is an error, and one that may not be read tells nothing.
 * @param remedy the next step, where the error names none
 */
export function troubleOf(
  name: string,
  file: string,
  { code, message, hint, file: named }: KubepkiError,
  remedy?: string,
): Trouble {
  const isLocked = code === 'no-permission';
  return {
    grade: isLocked ? 'unchecked' : 'error',
    name,
    file: named ?? file,
    message,
    hint: isLocked ? 'run it as root' : (hint ?? remedy),
  };
}
