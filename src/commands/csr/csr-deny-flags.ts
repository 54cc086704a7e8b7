import type { Command } from 'commander';
import type { CsrDenyOptions } from './csr-deny.ts';
import { explain } from '../../flags/command.ts';
import { addCsrFlags } from './csr-flags.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addCsrDeny(csr: Command, run: Run): void {
  const command = csr
    .command('deny')
    .summary('deny requests for serving certificates')
    .description(
      'Denies the named requests, if they are pending and of kubelets for their serving certificates: all others are left ' +
        'as they are. A denial cannot be taken back; the kubelet asks again, with a new request.',
    )
    .argument('[names...]', 'which, as "kubepki csr list" shows them');
  addCsrFlags(command, ['dryRun'], { dryRun: { says: 'say what would be denied, and deny nothing' } }).action(
    async (names: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<CsrDenyOptions & TerminalOptions>();
      const { denyRequests } = await import('./csr-deny.ts');
      run.done(await denyRequests(names, options, run.open(options)));
    },
  );
  explain(command, {
    examples: ['kubepki csr deny csr-4xk7p --dry-run', 'kubepki csr deny csr-4xk7p'],
    pages: ['kubelet-serving'],
  });
}
