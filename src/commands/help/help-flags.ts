import { type Command, Option } from 'commander';
import { rootfsOption } from '../../flags/options.ts';

/** cobra's, which kubeadm has: `help certs renew` shows what `certs renew --help` does. */
export function addHelp(program: Command): void {
  program
    .command('help')
    .summary('show the help of a command')
    .description('Shows the help of a command, as --help behind it does.')
    .argument('[words...]', 'the command, such as certs renew')
    // kubeadm has them for every command.
    .addOption(rootfsOption().hideHelp())
    .addOption(new Option('-v, --v <level>').hideHelp())
    .action(async (words: string[]) => {
      const { requireCommand } = await import('../../flags/names/unknown-command.ts');
      requireCommand(program, words).outputHelp();
    });
}
