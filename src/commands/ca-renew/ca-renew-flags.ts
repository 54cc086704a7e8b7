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
      'Makes the certificates of CAs anew: the same name, key and extensions, a new serial number and a later end. All that they have ' +
        'signed stays valid, and so do join commands. Changes their files and the kubeconfigs that hold them, all or none, and ' +
        'lists the copies elsewhere. Without a name all are renewed, on a terminal after a question.',
    )
    .addArgument(
      offering(new Argument('[names...]', '"all", or names from the list below'), [
        { word: 'all', description: 'every one that is here' },
        ...certificateAuthorities.map(({ name, longName }) => ({ word: name, description: longName })),
      ]),
    );
  addFlags(self, [...nodeFlags, ...commonFlags, ...restartAfterFlags]);
  addFlags(self, ['validity', 'compromised', ...changeFlags], {
    validity: {
      says: "how long they are valid, such as 3650d or 10y (default: the configuration's caCertificateValidityPeriod, or ten years)",
    },
    restart: { says: 'then restart what reads a CA only when it starts' },
  }).action(async (names: string[], _options, command: Command) => {
    const options = command.optsWithGlobals<RenewAuthoritiesOptions & TerminalOptions>();
    const { renewAuthoritiesHere } = await import('./ca-renew.ts');
    run.done(await renewAuthoritiesHere(names, options, run.open(options)));
  });
  explain(self, {
    examples: [
      'kubepki ca renew --dry-run',
      'kubepki ca renew ca --restart',
      'kubepki ca renew all --validity 20y',
    ],
    notes: [
      `Names: all, ${certificateAuthorities.map(({ name }) => name).join(', ')}.`,
      'For a key that others may know, or one that is too weak: kubepki ca rotate.',
      'Exit code 1 if one that was named cannot be renewed, 8 if the restart or the hook failed.',
    ],
    pages: ['ca', 'restarts', 'undo', 'json', 'exit-codes'],
  });
}
