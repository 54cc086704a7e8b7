/** A flag of kubeadm's that may stand before its command, too, as any of cobra's persistent flags. */
const withValue = /^(?:--rootfs|--v|-v)$/;
const complete = /^(?:--rootfs=|--v=|-v.)/;

/**
 * The words of a command line with the flags that stand before the command's name behind it: there each command has them,
 * and its own meaning for them. A flag's value is put to it with an equals sign, so that the flag takes that and no more.
 * What cannot be told apart here is left as it is.
 */
export function commandFirst(words: readonly string[]): readonly string[] {
  const flags: string[] = [];
  const name: string[] = [];
  // certs, then what it is to do.
  const longest = 2;
  let index = 0;
  while (name.length < longest && index < words.length) {
    const word = words[index] ?? '';
    const value = words[index + 1];
    if (withValue.test(word)) {
      if (value === undefined) return words;
      flags.push(word === '-v' ? `-v${value}` : `${word}=${value}`);
      index += 2;
    } else if (complete.test(word)) {
      flags.push(word);
      index += 1;
    } else if (word.startsWith('-')) {
      return words;
    } else {
      name.push(word);
      index += 1;
    }
  }
  return flags.length === 0 ? words : [...name, ...flags, ...words.slice(index)];
}
