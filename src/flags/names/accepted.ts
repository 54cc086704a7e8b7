import { unknownWord } from './unknown-name.ts';

/**
 * The words of `--accept`.
 * @param allowed what the command takes the operator's word for
 * @throws KubepkiError usage for another word, with what was meant
 */
export function parseAccepted<T extends string>(words: readonly string[], allowed: readonly T[]): T[] {
  return words.map((word) => {
    const name = allowed.find((one) => one === word);
    if (name !== undefined) return name;
    throw unknownWord('condition', word, { allowed, otherwise: `use one of: ${allowed.join(', ')}` });
  });
}
