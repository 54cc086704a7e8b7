import type { Command } from 'commander';
import type { CsrApproveOptions } from './csr-approve.ts';
import { explain } from '../../flags/command.ts';
import { addCsrFlags } from './csr-flags.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addCsrApprove(csr: Command, run: Run): void {
  const command = csr
    .command('approve')
    .summary('approve requests for serving certificates, after every check')
    .description(
      'Approves a request only if it is what a kubelet asks for its serving certificate: of its own node, for names and ' +
        'addresses of that Node object, which belong to no other node, Service or API server. Nothing else is ever approved.',
    )
    .argument('[names...]', 'which, as "kubepki csr list" shows them');
  addCsrFlags(command, ['all', 'allowCidr', 'allowDns', 'denyInvalid', 'dryRun'], {
    dryRun: { says: 'say what would be decided, and decide nothing' },
  }).action(async (names: string[], _options, command: Command) => {
    const options = command.optsWithGlobals<CsrApproveOptions & TerminalOptions>();
    const { approveRequests } = await import('./csr-approve.ts');
    run.done(await approveRequests(names, options, run.open(options)));
  });
  explain(command, {
    examples: [
      'kubepki csr approve csr-9wvgt',
      'kubepki csr approve --all --allow-cidr 192.0.2.0/24 --allow-dns example.internal --dry-run',
    ],
    notes: [
      '--allow-cidr and --allow-dns can be given again, or take several with commas between; example.internal means that name and all below it, .example.internal all below it, and a * stands for a part of one label. With --all they are needed.',
      'What a refused request fails is said. Exit code 1 if a request that is named is not approved; with --all a refusal is a warning, and the exit code 0.',
    ],
    pages: ['kubelet-serving'],
  });
}
