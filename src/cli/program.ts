import { Command, InvalidArgumentError, Option } from 'commander';
import { certificates } from '../catalog/catalog.ts';
import { KubepkiError } from '../errors/error.ts';
import type { CheckExpirationOptions } from './check-expiration.ts';
import type { ExitCode } from './exit-code.ts';
import { parseGoDuration } from '../config/go-duration.ts';
import type { GenerateCsrOptions } from './generate-csr.ts';
import type { HistoryOptions } from './history.ts';
import type { InstallOptions } from './install.ts';
import { parseInstant } from './parse-instant.ts';
import type { RecoverOptions } from './recover.ts';
import type { RenewOptions } from './renew.ts';
import type { RequestOptions } from './request.ts';
import type { RollbackOptions } from './rollback.ts';
import { openTerminal } from './terminal.ts';

interface ColourOption {
  readonly color: boolean;
}

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
  addGenerateCsr(certs, done);
  addCertificateKey(certs, done);
  addRecover(certs, done);
  addHistory(certs, done);
  addRollback(certs, done);
  return program;
}

function addCheckExpiration(certs: Command, done: (code: ExitCode) => void): void {
  addNodeOptions(
    certs
      .command('check-expiration')
      .summary('show when every certificate ends')
      .description(
        'Shows when every certificate ends, in the cert dir and inside the kubeconfigs. Changes nothing.',
      ),
  )
    .addOption(
      new Option('-o, --output <format>', 'text, json or yaml').default('text').argParser(parseOutputFormat),
    )
    .addOption(
      new Option('--at <time>', 'judge as of this moment (RFC 3339, such as 2027-01-01T00:00:00Z)').argParser(
        parseAt,
      ),
    )
    // Printer flags of kubeadm that change nothing in text, JSON and YAML.
    .addOption(new Option('--allow-missing-template-keys [bool]').hideHelp())
    .addOption(new Option('--show-managed-fields [bool]').hideHelp())
    .addHelpText(
      'after',
      `
Examples:
  kubepki certs check-expiration
  kubepki certs check-expiration -o json --cert-dir /backup/pki
  kubepki certs check-expiration --rootfs fixtures/stacked-etcd-rsa --at 2027-01-01T00:00:00Z

Exit code 1 if a file could not be read; missing and expired certificates are exit code 0, as with kubeadm.`,
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CheckExpirationOptions & ColourOption>();
      const { checkExpiration } = await import('./check-expiration.ts');
      done(await checkExpiration(options, openTerminal(options.color)));
    });
}

function addRenew(certs: Command, done: (code: ExitCode) => void): void {
  const longest = Math.max(...certificates.map(({ name }) => name.length));
  const list = certificates.map(({ name, longName }) => `  ${name.padEnd(longest)}  ${longName}`).join('\n');
  addNodeOptions(
    certs
      .command('renew')
      .summary('renew certificates with the CA on disk')
      .description(
        'Renews certificates with the CA on disk, whether they are near their end or not. Each gets a new key; subject, ' +
          'SANs and usages stay as they are. Without a name all are renewed, on a terminal after a question.',
      )
      .argument('[names...]', '"all", or names from the list below'),
  )
    .addOption(
      new Option(
        '--csr-only',
        'make new keys and CSRs for an external CA instead; "kubepki certs install" brings them back',
      ),
    )
    .addOption(
      pathOption('--csr-dir <dir>', 'where CSRs and keys go with --csr-only (default: the cert dir)'),
    )
    .addOption(new Option('--force', 'with --csr-only: replace requests that wait (a backup is kept)'))
    .addOption(dryRunOption())
    .addOption(keepBackupsOption())
    .addOption(lockTimeoutOption())
    .addHelpText(
      'after',
      `
Certificates:
  ${'all'.padEnd(longest)}  every one that is there
${list}

Examples:
  kubepki certs renew all
  kubepki certs renew apiserver etcd-server
  kubepki certs renew all --dry-run
  kubepki certs renew all --cert-dir /backup/pki --config kubeadm.yaml
  kubepki certs renew all --csr-only --csr-dir /root/csr

Exit code 6 if a certificate named here was not renewed, being missing or signed by an external CA.`,
    )
    .action(async (names: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<
        RenewOptions & RequestOptions & ColourOption & { readonly csrOnly?: boolean }
      >();
      const terminal = openTerminal(options.color);
      if (options.csrOnly === true) {
        const { requestCertificates } = await import('./request.ts');
        done(await requestCertificates(names, options, terminal));
        return;
      }
      for (const flag of ['csrDir', 'force'] as const) {
        if (options[flag] === undefined) continue;
        const name = flag === 'csrDir' ? '--csr-dir' : '--force';
        throw new KubepkiError('usage', `${name} goes with --csr-only`);
      }
      const { renewCertificates } = await import('./renew.ts');
      done(await renewCertificates(names, options, terminal));
    });
}

function addInstall(certs: Command, done: (code: ExitCode) => void): void {
  addNodeOptions(
    certs
      .command('install')
      .summary('put certificates that an external CA has signed in their places')
      .description(
        'Takes the certificates that an external CA has signed for the CSRs of "renew --csr-only" or "generate-csr", checks ' +
          'each, and puts it and its key in place, in PKI files and inside kubeconfigs: all of them or none.',
      )
      .argument('[names...]', 'which (default: all that are signed)'),
  )
    .addOption(
      pathOption('--csr-dir <dir>', 'where CSRs, keys and signed certificates are (default: the cert dir)'),
    )
    .addOption(pathOption('--from-bundle <file>', 'take the certificates from this PEM file too'))
    .option('--allow-changes', 'accept other SANs than the CSR asks for; the difference is shown')
    .addOption(dryRunOption())
    .addOption(keepBackupsOption())
    .addOption(lockTimeoutOption())
    .addHelpText(
      'after',
      `
Examples:
  kubepki certs install
  kubepki certs install --csr-dir /root/csr
  kubepki certs install apiserver --from-bundle signed.pem --dry-run

A certificate and a CSR belong together by their public key, whatever their files are called. Exit code 6 if a
certificate named here is not signed yet, or nothing could be installed.`,
    )
    .action(async (names: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<InstallOptions & ColourOption>();
      const { installCertificates } = await import('./install.ts');
      done(await installCertificates(names, options, openTerminal(options.color)));
    });
}

function addGenerateCsr(certs: Command, done: (code: ExitCode) => void): void {
  addNodeOptions(
    certs
      .command('generate-csr')
      .summary('make keys and CSRs for a new control plane')
      .description(
        'Makes keys and CSRs for all control-plane certificates from the kubeadm configuration, before any certificate exists, ' +
          'and kubeconfigs that hold their key. Nothing that is there is overwritten.',
      ),
    // kubeadm's default here, and no --kubeconfig.
    { kubeconfigDirDefault: '/etc/kubernetes', kubeconfig: false },
  )
    .addOption(dryRunOption())
    .addOption(keepBackupsOption())
    .addOption(lockTimeoutOption())
    .addHelpText(
      'after',
      `
Examples:
  kubepki certs generate-csr --config kubeadm.yaml
  kubepki certs generate-csr --cert-dir /tmp/k8s/pki --kubeconfig-dir /tmp/k8s

What the configuration leaves out is kubeadm's default; the node's name and address are then this machine's. Have the
CSRs signed, put each certificate beside its CSR (etcd/server.crt, admin.conf.crt), then: kubepki certs install`,
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GenerateCsrOptions & ColourOption>();
      const { generateRequests } = await import('./generate-csr.ts');
      done(await generateRequests(options, openTerminal(options.color)));
    });
}

function addCertificateKey(certs: Command, done: (code: ExitCode) => void): void {
  certs
    .command('certificate-key')
    .summary('print a new key for "kubeadm init phase upload-certs"')
    .description(
      'Prints 32 random bytes as 64 hex digits: a key that kubeadm encrypts uploaded certificates with.',
    )
    .allowExcessArguments(false)
    .addOption(new Option('-v, --v <level>').hideHelp())
    .action(async (_options, command: Command) => {
      const { color } = command.optsWithGlobals<ColourOption>();
      const { printCertificateKey } = await import('./certificate-key.ts');
      done(printCertificateKey(openTerminal(color)));
    });
}

function addRecover(certs: Command, done: (code: ExitCode) => void): void {
  addNodeOptions(
    certs
      .command('recover')
      .summary('bring an interrupted change to an end')
      .description(
        'Brings a change that was interrupted (killed, a full disk, a power cut) to an end: forward where the new files ' +
          'are complete, else back. Every command that writes does this first.',
      ),
  )
    .option('--discard', 'give the interrupted change up: leave every file as it is now, keep the backup')
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<RecoverOptions & ColourOption>();
      const { recoverChange } = await import('./recover.ts');
      done(await recoverChange(options, openTerminal(options.color)));
    });
}

function addHistory(certs: Command, done: (code: ExitCode) => void): void {
  addNodeOptions(
    certs
      .command('history')
      .summary('list the backups')
      .description('Lists the backups, the newest first: each change keeps what it replaced.'),
  )
    .addOption(
      new Option('-o, --output <format>', 'text or json').default('text').argParser(parseHistoryFormat),
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<HistoryOptions & ColourOption>();
      const { showHistory } = await import('./history.ts');
      done(await showHistory(options, openTerminal(options.color)));
    });
}

function addRollback(certs: Command, done: (code: ExitCode) => void): void {
  addNodeOptions(
    certs
      .command('rollback')
      .summary('bring back what a change replaced')
      .description(
        'Brings back the files that a change replaced, all or none. It keeps a backup too, so a rollback can be rolled back.',
      )
      .argument('[id]', 'the backup, from "kubepki certs history" (default: the newest)'),
  )
    .option('--force', 'even if certificates come back that have expired or that another CA signed')
    .addOption(dryRunOption())
    .addOption(keepBackupsOption())
    .addOption(lockTimeoutOption())
    .action(async (id: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<RollbackOptions & ColourOption>();
      const { rollBackChange } = await import('./rollback.ts');
      done(await rollBackChange(id, options, openTerminal(options.color)));
    });
}

function dryRunOption(): Option {
  return new Option('--dry-run', 'show what would change, and change nothing');
}

function keepBackupsOption(): Option {
  return new Option('--keep-backups <n>', 'how many backups to keep')
    .default(5)
    .argParser((value: string) => {
      const count = Number(value);
      if (/^\d+$/.test(value) && count >= 1 && count <= 10_000) return count;
      throw new InvalidArgumentError('use a whole number of 1 or more');
    });
}

function lockTimeoutOption(): Option {
  return new Option('--lock-timeout <duration>', 'how long to wait for another run')
    .default(10_000, '10s')
    .argParser((value: string) => {
      const milliseconds = parseGoDuration(value);
      if (milliseconds !== undefined && milliseconds >= 0) return milliseconds;
      throw new InvalidArgumentError('use a duration such as 10s or 2m');
    });
}

function parseHistoryFormat(value: string): HistoryOptions['output'] {
  const format = value.replace(/^=/, '');
  if (format === 'text' || format === 'json') return format;
  throw new InvalidArgumentError('use text or json');
}

function addNodeOptions(
  command: Command,
  {
    kubeconfigDirDefault = 'beside the cert dir if there are any, else /etc/kubernetes',
    kubeconfig = true,
  } = {},
): Command {
  command
    .allowExcessArguments(false)
    .addOption(pathOption('--cert-dir <dir>', 'the certificates (default: /etc/kubernetes/pki)'))
    .addOption(pathOption('--kubeconfig-dir <dir>', `the kubeconfigs (default: ${kubeconfigDirDefault})`))
    .addOption(pathOption('--config <file>', 'a kubeadm configuration file (v1beta2, v1beta3, v1beta4)'));
  if (kubeconfig) {
    command.addOption(
      pathOption(
        '--kubeconfig <file>',
        'accepted as kubeadm does, without effect: nothing is read from the cluster',
      ),
    );
  }
  return command
    .addOption(rootfsOption())
    .addOption(new Option('-v, --v <level>').hideHelp())
    .option('--no-color', 'no colour, also on a terminal (as with NO_COLOR)');
}

function rootfsOption(): Option {
  return pathOption('--rootfs <dir>', 'look up every absolute path below this directory');
}

function pathOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string) => {
    if (value === '') throw new InvalidArgumentError('it is empty');
    return value;
  });
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

function parseOutputFormat(value: string): CheckExpirationOptions['output'] {
  // Go's flag parser takes `-o=json` too.
  const format = value.replace(/^=/, '');
  if (format === 'text' || format === 'json' || format === 'yaml') return format;
  throw new InvalidArgumentError('use text, json or yaml');
}

function parseAt(value: string): Date {
  const instant = parseInstant(value);
  if (instant === undefined) throw new InvalidArgumentError('use RFC 3339, such as 2027-01-01T00:00:00Z');
  return instant;
}
