import { Argument, type Command, Option } from 'commander';
import { explain } from '../../flags/help/explain.ts';
import { topicNames } from '../../flags/help/topics.ts';
import { offering } from '../../flags/names/offering.ts';
import { rootfsOption } from '../../flags/options.ts';
import type { Run } from '../../terminal/terminal.ts';

/** cobra's, which kubeadm has: `help certs renew` shows what `certs renew --help` does. And the pages of docs/. */
export function addHelp(program: Command, run: Run): void {
  const command = program
    .command('help')
    .summary('show a page about a topic, or the help of a command')
    .description('Shows a page about a topic, or the help of a command, as --help behind it does.')
    .addArgument(
      offering(new Argument('[words...]', 'a topic, or a command such as certs renew'), topicNames),
    )
    // kubeadm has them for every command.
    .addOption(rootfsOption().hideHelp())
    .addOption(new Option('-v, --v <level>').hideHelp())
    .action(async (words: string[]) => {
      const { showHelp } = await import('./show-help.ts');
      await showHelp(program, words, run.open({ color: false }));
    });
  explain(command, {
    examples: ['kubepki help', 'kubepki help exit-codes', 'kubepki help certs renew'],
    notes: [topics],
  });
  explain(program, {
    examples: ['kubepki certs check-expiration', 'kubepki certs renew all --restart'],
    notes: [topics],
  });
}

const topics = `Topics (kubepki help TOPIC): ${topicNames.join(', ')}`;
