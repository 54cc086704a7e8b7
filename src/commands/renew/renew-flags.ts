import { Argument, type Command, Option } from 'commander';
import { certificates } from '../../catalog/catalog.ts';
import type { KubeadmConfig } from '../../config/kubeadm-config.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { RenewOptions } from './renew.ts';
import type { RequestOptions } from './csr-only/request.ts';
import { addClusterOptions } from '../../flags/cluster-options.ts';
import { deployHookOption } from '../../flags/deploy-hook-option.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { explain } from '../../flags/help/explain.ts';
import { offering } from '../../flags/names/offering.ts';
import {
  addNodeOptions,
  dryRunOption,
  keepBackupsOption,
  lockTimeoutOption,
  pathOption,
} from '../../flags/options.ts';
import { outputOption } from '../../flags/output-option.ts';
import { withinOption } from '../../flags/period-option.ts';
import { requireRestartAsked, restartAfterOptions } from '../../flags/restart-options.ts';
import { parseAskedSans, sanOptions } from '../../flags/san-options.ts';
import { parseSelection } from '../../flags/names/select.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import { textfileOption, type TextfileOption } from '../../flags/textfile-option.ts';
import {
  apiOptions,
  requireApiFlags,
  requireNoApiFlags,
  type ApiOptions,
} from '../../flags/use-api-options.ts';
import { validityOption } from '../../flags/validity-option.ts';

export function addRenew(certs: Command, run: Run): void {
  const servers = certificates
    .filter(({ subject }) => subject.names !== 'none')
    .map(({ name }) => name)
    .join(', ');
  const command = addNodeOptions(
    certs
      .command('renew')
      .summary('renew certificates with the CA on disk')
      .description(
        'Renews certificates with the CA on disk, whether they are near their end or not. Each gets a new key; subject, ' +
          'SANs and usages stay as they are, unless other SANs are asked for. Without a name all are renewed, on a terminal after a question. ' +
          'Where the CA is elsewhere: --csr-only for files, --use-api for the certificates API of the cluster.',
      )
      .addArgument(
        offering(new Argument('[names...]', '"all", or names from the list below'), [
          { word: 'all', description: 'every one that is there' },
          ...certificates.map(({ name, longName }) => ({ word: name, description: longName })),
        ]),
      ),
    { kubeconfig: false },
  );
  addClusterOptions(command);
  for (const option of sanOptions()) command.addOption(option);
  for (const option of restartAfterOptions()) command.addOption(option);
  for (const option of apiOptions()) command.addOption(option);
  command
    .addOption(withinOption('renew only what has expired or expires within this time, such as 30d or 4w'))
    .addOption(validityOption())
    .addOption(
      new Option(
        '--csr-only',
        'make new keys and CSRs for an external CA instead; "kubepki certs install" brings them back',
      ),
    )
    .addOption(
      pathOption('--csr-dir <dir>', 'where CSRs and keys go with --csr-only (default: the cert dir)'),
    )
    .addOption(
      new Option(
        '--force',
        'with names: also renew what this CA has not signed, and with --within what is not sound; also remove SANs that are still used; with --csr-only: replace requests that wait (a backup is kept)',
      ),
    )
    .addOption(outputOption())
    .addOption(deployHookOption())
    .addOption(dryRunOption())
    .addOption(keepBackupsOption())
    .addOption(lockTimeoutOption())
    .addOption(textfileOption())
    .action(async (names: string[], _options, self: Command) => {
      const options = self.optsWithGlobals<
        RenewOptions &
          RequestOptions &
          ApiOptions &
          TextfileOption &
          TerminalOptions & { readonly csrOnly?: boolean }
      >();
      const terminal = run.open(options);
      const finish = async (
        renewWith: (cluster: KubeadmConfig | undefined) => Promise<ExitCode>,
      ): Promise<void> => {
        // What is wrong with the command line is said at once.
        parseAskedSans(parseSelection(names, options), options);
        const { askCluster } = await import('../../node/ask-cluster.ts');
        const asking = { prefix: 'renew', text: options.output === 'text' } as const;
        const cluster = await askCluster(options, asking, terminal);
        const { textfile } = options;
        if (textfile === undefined) {
          run.done(await renewWith(cluster));
          return;
        }
        const { recordingRun } = await import('../../change/textfile.ts');
        run.done(await recordingRun({ ...options, textfile }, cluster, terminal, () => renewWith(cluster)));
      };
      const isNamed = names.length > 0 && !names.includes('all');
      if (options.useApi === true) {
        requireApiFlags(options);
        requireRestartAsked(options);
        if (!isNamed) requireForceNeeded(options, 'names, --remove-san or --sans-from-config');
        const { renewThroughApi } = await import('./use-api/use-api.ts');
        await finish((cluster) => renewThroughApi(names, options, cluster, terminal));
        return;
      }
      requireNoApiFlags(options);
      if (options.csrOnly === true) {
        if (options.validity !== undefined) {
          throw new KubepkiError('usage', '--validity does not go with --csr-only', {
            hint: 'how long a certificate is valid is for the CA that signs it to say',
          });
        }
        if (options.restart === true) {
          throw new KubepkiError('usage', '--restart does not go with --csr-only', {
            hint: 'a request changes nothing that is in use: restart after "kubepki certs install"',
          });
        }
        if (options.deployHook !== undefined) {
          throw new KubepkiError('usage', '--deploy-hook does not go with --csr-only', {
            hint: 'it changes nothing that is in use; "kubepki certs install --deploy-hook" does',
          });
        }
        const { requestCertificates } = await import('./csr-only/request.ts');
        await finish((cluster) => requestCertificates(names, options, cluster, terminal));
        return;
      }
      if (options.csrDir !== undefined) throw new KubepkiError('usage', '--csr-dir goes with --csr-only');
      requireRestartAsked(options);
      if (!isNamed) requireForceNeeded(options, 'names, --csr-only, --remove-san or --sans-from-config');
      const { renewCertificates } = await import('./renew.ts');
      await finish((cluster) => renewCertificates(names, options, cluster, terminal));
    });
  explain(command, {
    examples: [
      'kubepki certs renew all --within 30d --restart',
      'kubepki certs renew all --validity 90d --dry-run',
      'kubepki certs renew apiserver --add-san api.example.com,192.0.2.7',
      'kubepki certs renew all --csr-only --csr-dir /root/csr',
    ],
    notes: [
      `Names: all, ${certificates.map(({ name }) => name).join(', ')}.`,
      `The flags for SANs go with ${servers}.`,
      'Exit code 6 if a certificate named here was not renewed, 8 if the restart, the hook or the metrics failed. With --within 4 if something stays due, 5 if something is wrong beside its end.',
    ],
    pages: ['renew', 'restarts', 'hooks', 'external-ca', 'certificates-api', 'undo', 'exit-codes'],
  });
}

/** @throws KubepkiError usage */
function requireForceNeeded(
  { force, removeSan, sansFromConfig, within }: RequestOptions,
  flags: string,
): void {
  if (force === undefined || removeSan !== undefined || sansFromConfig === true || within !== undefined)
    return;
  throw new KubepkiError('usage', `--force goes with ${flags}`);
}
