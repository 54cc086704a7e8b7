import { Argument, type Command } from 'commander';
import { KubepkiError } from '../../errors/error.ts';
import { exitCodes } from '../../terminal/exit-code.ts';
import { addFlags, explain, offering } from '../../flags/command.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import { unknownWord } from '../../flags/names/unknown-name.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

type Shell = (typeof shells)[number];

export function addCompletion(program: Command, run: Run): void {
  const command = program
    .command('completion')
    .summary('print what makes a shell complete commands, flags and names')
    .description('Prints what makes a shell complete the commands, flags and certificate names of kubepki.')
    .usage('[options] bash|zsh|fish')
    .addArgument(offering(new Argument('[shell]', 'bash, zsh or fish'), shells));
  addFlags(command, ['v']).action(async (given: string | undefined, _options, command: Command) => {
    const shell = requireShell(given);
    const options = command.optsWithGlobals<TerminalOptions>();
    const { completionScripts } = await import('../../render/completion.ts');
    run.open(options).result(completionScripts[shell]);
    run.done(exitCodes.done);
  });
  explain(command, {
    examples: [
      'source <(kubepki completion bash)',
      'kubepki completion bash > /etc/bash_completion.d/kubepki',
      'kubepki completion zsh > /usr/local/share/zsh/site-functions/_kubepki',
      'kubepki completion fish > ~/.config/fish/completions/kubepki.fish',
    ],
    notes: [
      'The first is for this shell only; zsh takes it too, after compinit, and fish takes "kubepki completion fish | source". bash before 4 needs eval "$(kubepki completion bash)". The others are for always.',
      'To complete a word, the shell asks the kubepki that begins the line. That reads nothing but the names of backups, which only root sees, and asks no cluster.',
    ],
  });
}

/** @throws KubepkiError usage */
function requireShell(given: string | undefined): Shell {
  const shell = shells.find((one) => one === given);
  if (shell !== undefined) return shell;
  const otherwise = 'use kubepki completion bash, zsh or fish';
  if (given !== undefined) throw unknownWord('shell', given, { allowed: shells, otherwise });
  throw new KubepkiError('usage', 'no shell is named', { hint: otherwise });
}
