import { Command, Option } from 'commander';
import { KubepkiError } from '../errors/error.ts';
import { addCertificateKey } from './command/certificate-key.ts';
import { addCheckExpiration } from './command/check-expiration.ts';
import { addCompletion } from './command/completion.ts';
import { addCsrApprove } from './command/csr-approve.ts';
import { addCsrDeny } from './command/csr-deny.ts';
import { addCsrList } from './command/csr-list.ts';
import { addGenerate } from './command/generate.ts';
import { addGenerateCsr } from './command/generate-csr.ts';
import { addHistory } from './command/history.ts';
import { addInstall } from './command/install.ts';
import { addRecover } from './command/recover.ts';
import { addRenew } from './command/renew.ts';
import { addRestart } from './command/restart.ts';
import { addRollback } from './command/rollback.ts';
import { addSystemd } from './command/systemd.ts';
import type { ExitCode } from './exit-code.ts';
import { rootfsOption } from './options.ts';
import { requireQuietText } from './quiet-option.ts';

/**
 * The command line. Flags, their defaults and their spellings are kubeadm's, so that its command lines work as they are.
 * @param done receives the exit code of the command that ran
 */
export function buildProgram(version: string, done: (code: ExitCode) => void): Command {
  const program = new Command('kubepki')
    .description('Looks after the PKI of kubeadm-built Kubernetes control planes.')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .addOption(rootfsOption())
    .addOption(new Option('-v, --v <level>', 'accepted as kubeadm does, without effect').hideHelp())
    .hook('preAction', (_program, command) => {
      requireQuietText(command);
    })
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  asGroup(program);
  const certs = program
    .command('certs')
    .description('Show when the certificates end, renew them, and take a renewal back.')
    .addHelpText('after', '\nExit codes: 0 done, 1 error and nothing was changed, others in the README.');
  asGroup(certs);
  addCheckExpiration(certs, done);
  addRenew(certs, done);
  addInstall(certs, done);
  addGenerate(certs, done);
  addGenerateCsr(certs, done);
  addCertificateKey(certs, done);
  addRecover(certs, done);
  addHistory(certs, done);
  addRollback(certs, done);
  const csr = program
    .command('csr')
    .description(
      'Show the signing requests of the cluster, and approve or deny those of kubelets for their serving certificates.',
    )
    .addHelpText(
      'after',
      '\nKubelets with "serverTLSBootstrap: true" ask for the certificate they serve, and nobody in a cluster approves that by\n' +
        'itself. Exit codes: 0 done, 1 error, or a request that was named was refused.',
    );
  asGroup(csr);
  addCsrList(csr, done);
  addCsrApprove(csr, done);
  addCsrDeny(csr, done);
  addRestart(program, done);
  addSystemd(program, done);
  addCompletion(program, done);
  return program;
}

/** A command that only holds others: without one it shows its help, as kubeadm does, and an unknown one is an error. */
function asGroup(command: Command): void {
  command
    .argument('[command]')
    .usage('[command] [options]')
    .allowExcessArguments()
    .action((name: string | undefined) => {
      if (name === undefined) {
        command.outputHelp();
        return;
      }
      const path = command.parent === null ? command.name() : `${command.parent.name()} ${command.name()}`;
      throw new KubepkiError('usage', `unknown command ${JSON.stringify(name)} for ${JSON.stringify(path)}`, {
        hint: `${path} --help shows the commands`,
      });
    });
}
