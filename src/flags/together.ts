import type { Command } from 'commander';
import { KubepkiError } from '../errors/error.ts';
import { longOf, type FlagName } from './table.ts';

type Options = Readonly<Partial<Record<FlagName, unknown>>>;

/** A flag, or one with certain values. */
type Given =
  FlagName | { readonly flag: FlagName; readonly says: string; readonly is: (format: string) => boolean };

interface Rule {
  readonly flags: readonly FlagName[];
  /** The rule is only for the commands that have this flag too: to others `not` or `with` means something else. */
  readonly among?: FlagName;
  readonly hint?: string;
}

/** Each of the flags goes with one of these only, of which the first is said; or does not go with that. */
type Together = Rule & ({ readonly with: readonly [Given, ...Given[]] } | { readonly not: Given });

const nagios = { flag: 'output', says: '-o nagios', is: (format: string) => format === 'nagios' } as const;
const document = {
  flag: 'output',
  says: '-o, other than -o text',
  is: (format: string) => format !== 'text',
} as const;

const decided = [
  ...(['signerName', 'validity', 'within', 'addSan', 'removeSan', 'sansFromConfig'] as const),
  ...(['force', 'dryRun'] as const),
] as const;

/** What says whose files are looked at, and what of them. */
const ofThisNode = [
  ...(['certDir', 'kubeconfigDir', 'config', 'rootfs', 'rootfsFrom', 'manifestsDir', 'certsOnly'] as const),
  ...(['kubeconfig', 'offline', 'all', 'live', 'endpoint', 'cluster', 'kubeconfigFile', 'cis'] as const),
] as const;

/**
 * What goes together and what does not. The first that is broken is said. A rule holds for the commands that have all of
 * its flags.
 */
const rules: readonly Together[] = [
  // A script that reads a document must not find an empty file some day.
  {
    flags: ['quiet'],
    not: document,
    hint: 'leave --quiet out: what reads a document needs it every time',
  },
  { flags: ['maxAge', 'expect'], with: ['from'] },
  {
    flags: ofThisNode,
    not: 'from',
    among: 'maxAge',
    hint: 'with --from no files of a node are looked at: give it where the documents are printed',
  },
  {
    flags: ['csrOnly'],
    not: 'useApi',
    hint: 'with --use-api the cluster is asked, and nobody carries a CSR',
  },
  { flags: ['csrDir'], not: 'useApi' },
  { flags: ['offline'], not: 'useApi', hint: 'the certificates API is the cluster' },
  { flags: ['signerName', 'approve', 'timeout', 'resume', 'discardPending'], with: ['useApi'] },
  { flags: ['resume'], not: 'discardPending' },
  { flags: decided, not: 'resume', hint: 'what was asked for was decided when it was asked' },
  { flags: [...decided, 'approve', 'timeout', 'restart', 'deployHook'], not: 'discardPending' },
  { flags: ['passphraseFile'], with: ['withKeys', 'import'] },
  {
    flags: ['validity'],
    not: 'csrOnly',
    hint: 'how long a certificate is valid is for the CA that signs it to say',
  },
  {
    flags: ['restart'],
    not: 'csrOnly',
    hint: 'a request changes nothing that is in use: restart after "kubepki certs install"',
  },
  {
    flags: ['deployHook'],
    not: 'csrOnly',
    hint: 'it changes nothing that is in use; "kubepki certs install --deploy-hook" does',
  },
  {
    flags: ['updateKubeconfig'],
    not: 'csrOnly',
    hint: 'a copy is brought up to date once its certificate is signed and installed',
  },
  {
    flags: ['updateKubeconfig'],
    not: 'useApi',
    hint: 'afterwards: kubepki certs renew admin.conf --within 1d --update-kubeconfig FILE',
  },
  { flags: ['crossCert'], with: ['caCert'] },
  {
    flags: ['caCert'],
    with: ['crossCert'],
    hint: 'have the old CA sign the new one: name and key of the new CA, CA:TRUE',
  },
  { flags: ['csrDir'], with: ['csrOnly'] },
  { flags: ['settle'], with: ['restart', 'csrOnly'] },
  { flags: ['force'], with: ['outputDir'] },
  { flags: ['sansFromConfig'], not: 'addSan' },
  { flags: ['sansFromConfig'], not: 'removeSan' },
  { flags: ['textfile'], not: 'dryRun' },
  { flags: ['kubeconfig'], with: ['cluster'] },
  {
    flags: ['certsOnly'],
    not: 'cluster',
    hint: 'to ask the cluster takes a private key: that of the kubeconfig',
  },
  { flags: ['warning', 'critical'], with: [nagios] },
  { flags: ['endpoint', 'kubeconfigFile'], with: ['all'] },
  { flags: ['within'], not: nagios, hint: 'use --warning and --critical' },
];

/** @throws KubepkiError usage for flags that do not go together */
export function requireTogether(command: Command): void {
  const options: Options = command.optsWithGlobals();
  const known = new Set(command.options.map((option) => option.attributeName()));
  const isGiven = (one: Given): boolean =>
    typeof one === 'string' ? options[one] !== undefined : one.is(formatOf(options.output));
  for (const rule of rules) {
    const others = 'not' in rule ? [rule.not] : rule.with;
    const [other] = others;
    if (rule.among !== undefined && !known.has(rule.among)) continue;
    if (!known.has(flagOf(other)) || others.some(isGiven) !== 'not' in rule) continue;
    const flag = rule.flags.find((one) => known.has(one) && options[one] !== undefined);
    if (flag === undefined) continue;
    const verb = 'not' in rule ? 'does not go with' : 'goes with';
    const { hint } = rule;
    throw new KubepkiError('usage', `${longOf(flag)} ${verb} ${saidOf(other)}`, { hint });
  }
}

function flagOf(one: Given): FlagName {
  return typeof one === 'string' ? one : one.flag;
}

function saidOf(one: Given): string {
  return typeof one === 'string' ? longOf(one) : one.says;
}

/** Each command's own: a word, or a format with what belongs to it. */
function formatOf(output: unknown): string {
  const kind = typeof output === 'object' && output !== null && 'kind' in output ? output.kind : output;
  return typeof kind === 'string' ? kind : 'text';
}
