/** A command line of ours for a hint: it works when it is pasted, with the flags that led to these files. */
export type CommandLine = (command: string) => string;

/** @param flags each a word for the shell already */
export function commandLine(flags: readonly string[]): CommandLine {
  // Of what hints name, these are not below `certs`.
  return (command) =>
    [/^(?:restart|verify|ca|sa)\b/.test(command) ? 'kubepki' : 'kubepki certs', command, ...flags].join(' ');
}
