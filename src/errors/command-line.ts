/** A command line of ours for a hint: it works when it is pasted, with the flags that led to these files. */
export type CommandLine = (command: string) => string;

/** @param flags each a word for the shell already */
export function commandLine(flags: readonly string[]): CommandLine {
  return (command) => ['kubepki certs', command, ...flags].join(' ');
}
