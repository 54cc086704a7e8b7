import { Argument, type Command } from 'commander';
import { certificates } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import { addFlags, explain, offering } from '../../flags/command.ts';
import {
  apiFlags,
  changeFlags,
  clusterFlags,
  commonFlags,
  nodeFlags,
  restartAfterFlags,
  sanFlags,
  type Typed,
} from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { RequestOptions } from './csr-only/request.ts';
import type { RenewOptions } from './renew.ts';
import { parseAskedSans, parseSelection, renewable, requireOriginals } from './selection.ts';
import type { ApiOptions } from './use-api/api-options.ts';

export function addRenew(certs: Command, run: Run): void {
  const servers = certificates
    .filter(({ subject }) => subject.names !== 'none')
    .map(({ name }) => name)
    .join(', ');
  const command = certs
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
        ...renewable.map(({ name, longName }) => ({ word: name, description: longName })),
      ]),
    );
  addFlags(command, [...nodeFlags, ...commonFlags, ...clusterFlags, ...sanFlags, ...restartAfterFlags]);
  addFlags(command, apiFlags);
  addFlags(
    command,
    ['updateKubeconfig', 'within', 'validity', 'csrOnly', 'csrDir', 'force', ...changeFlags, 'textfile'],
    {
      force: {
        says: 'with names: also renew what this CA has not signed, and with --within what is not sound; also remove SANs that are still used; with --csr-only: replace requests that wait (a backup is kept)',
      },
    },
  ).action(async (names: string[], _options, self: Command) => {
    const options = self.optsWithGlobals<
      RenewOptions & RequestOptions & ApiOptions & Typed<'textfile' | 'csrOnly'> & TerminalOptions
    >();
    const terminal = run.open(options);
    const isNamed = names.length > 0 && !names.includes('all');
    if (!isNamed) requireForceNeeded(options);
    const selection = parseSelection(names);
    // Where another signs, the kubelet asks by itself.
    const isSignedHere = options.useApi !== true && options.csrOnly !== true;
    const known = ['all', ...(isSignedHere ? renewable : certificates).map(({ name }) => name)];
    if (!names.every((name) => known.includes(name))) {
      const { requireCertificateNames } = await import('../../flags/names/unknown-name.ts');
      requireCertificateNames(names, known, { verb: 'renewed', options });
    }
    requireOriginals(selection, options);
    parseAskedSans(selection, options);
    const renew =
      options.useApi === true
        ? (await import('./use-api/use-api.ts')).renewThroughApi
        : options.csrOnly === true
          ? (await import('./csr-only/request.ts')).requestCertificates
          : (await import('./renew.ts')).renewCertificates;
    const { askCluster } = await import('../../node/ask-cluster.ts');
    const asking = { prefix: 'renew', text: options.output === 'text' } as const;
    const cluster = await askCluster(options, asking, terminal);
    const { textfile } = options;
    if (textfile === undefined) {
      run.done(await renew(names, options, cluster, terminal));
      return;
    }
    const { recordingRun } = await import('../../change/textfile.ts');
    const recorded = { ...options, textfile };
    run.done(await recordingRun(recorded, cluster, terminal, () => renew(names, options, cluster, terminal)));
  });
  explain(command, {
    examples: [
      'kubepki certs renew all --validity 90d --dry-run',
      'kubepki certs renew all --within 30d --restart',
      'kubepki certs renew apiserver --add-san api.example.com,192.0.2.7',
      'kubepki certs renew all --csr-only --csr-dir /root/csr',
    ],
    notes: [
      `Names: all, ${certificates.map(({ name }) => name).join(', ')}; and kubelet.conf, which is not among all: for a kubelet that can no longer renew it.`,
      `The flags for SANs go with ${servers}.`,
      'Exit code 6 if a certificate named here was not renewed, 8 if the restart, the hook or the metrics failed. With --within 4 if something stays due, 5 if something is wrong beside its end.',
    ],
    pages: ['renew', 'restarts', 'hooks', 'external-ca', 'certificates-api', 'undo', 'exit-codes'],
  });
}

/** @throws KubepkiError usage for `--force` where all are renewed, and it would force nothing */
function requireForceNeeded(options: RequestOptions & Typed<'useApi' | 'csrOnly'>): void {
  const { force, useApi, csrOnly, removeSan, sansFromConfig, within } = options;
  const isNeeded = csrOnly ?? removeSan ?? sansFromConfig ?? within;
  if (force === undefined || isNeeded !== undefined) return;
  const others = useApi === true ? '' : '--csr-only, ';
  throw new KubepkiError('usage', `--force goes with names, ${others}--remove-san or --sans-from-config`);
}
