import { Argument, type Command } from 'commander';
import { certificateAuthorities } from '../../catalog/catalog.ts';
import { addFlags, explain, offering } from '../../flags/command.ts';
import { changeFlags, commonFlags, nodeFlags, restartAfterFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { RenewAuthoritiesOptions } from './ca-renew.ts';

export function addCaRenew(ca: Command, run: Run): void {
  const self = ca
    .command('renew')
    .summary('give CAs another end, with the keys they have')
    .description(
      'Makes the certificates of CAs anew for the keys they have, so that all they have signed stays valid; in their files and in ' +
        'kubeconfigs, all or none. Lists the copies elsewhere. Without a name all, on a terminal after a question.',
    )
    .addArgument(
      offering(
        new Argument('[names...]', `all, ${certificateAuthorities.map(({ name }) => name).join(', ')}`),
        [
          { word: 'all', description: 'every one that is here' },
          ...certificateAuthorities.map(({ name, longName }) => ({ word: name, description: longName })),
        ],
      ),
    );
  addFlags(self, [...nodeFlags, ...commonFlags, ...restartAfterFlags]);
  addFlags(self, ['validity', 'compromised', ...changeFlags], {
    validity: {
      says: 'how long they are valid (default: what --config says, or ten years)',
    },
    restart: { says: 'then restart what reads a CA only when it starts' },
  }).action(async (names: string[], _options, command: Command) => {
    const options = command.optsWithGlobals<RenewAuthoritiesOptions & TerminalOptions>();
    const { renewAuthoritiesHere } = await import('./ca-renew.ts');
    run.done(await renewAuthoritiesHere(names, options, run.open(options)));
  });
  explain(self, {
    examples: ['kubepki ca renew --dry-run', 'kubepki ca renew ca --restart'],
    notes: ['Exit code 1 if one that was named cannot be renewed, 8 if the restart or the hook failed.'],
    pages: ['cas', 'restarts', 'undo', 'json', 'exit-codes'],
  });
}
