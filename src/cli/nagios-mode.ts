/**
 * Whether a monitoring system waits for a plugin's one line and exit code. It must get them whatever is wrong, and so also when
 * the command line could not be parsed.
 */
export function asksForNagios(argv: readonly string[]): boolean {
  if (!argv.includes('check-expiration')) return false;
  return argv.some((word, index) => {
    const isValue = argv[index - 1] === '-o' || argv[index - 1] === '--output';
    return /^(?:-o=?|--output=)nagios$/.test(word) || (isValue && /^=?nagios$/.test(word));
  });
}
