import { Argument, type Command } from 'commander';
import { addFlags, explain, offering } from '../../flags/command.ts';
import { topicNames } from '../../flags/help/topics.ts';
import type { Run } from '../../terminal/terminal.ts';

/** cobra's, which kubeadm has: `help certs renew` shows what `certs renew --help` does. And the pages of docs/. */
export function addHelp(program: Command, run: Run): void {
  const command = program
    .command('help')
    .summary('show a page about a topic, or the help of a command')
    .description('Shows a page about a topic, or the help of a command, as --help behind it does.')
    .addArgument(
      offering(new Argument('[words...]', 'a topic, or a command such as certs renew'), topicNames),
    );
  // kubeadm has them for every command.
  addFlags(command, ['rootfs', 'v'], { rootfs: { says: undefined } }).action(async (words: string[]) => {
    const { showHelp } = await import('./show-help.ts');
    await showHelp(program, words, run.open({ color: false }));
  });
  explain(command, {
    examples: ['kubepki help', 'kubepki help exit-codes', 'kubepki help certs renew'],
    notes: [topics],
  });
  explain(program, {
    notes: [topics],
  });
}

const topics = `Topics (kubepki help TOPIC): ${topicNames.join(', ')}`;
