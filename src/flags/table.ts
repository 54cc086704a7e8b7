import { shellWord } from '../errors/shell-word.ts';
import * as values from './values.ts';

/** What a flag is about. The help shows them in this order. */
export const groups = ['What', 'When', 'After', 'Signed elsewhere', 'Where', 'How'] as const;

export interface Flag {
  /** As commander has it: `--add-san <names>`. */
  readonly syntax: string;
  readonly group: (typeof groups)[number];
  /** undefined: kubeadm has it, and here it is taken without effect, and not shown. */
  readonly says?: string;
  /** Of one with a value: reads it. `before`: what it was given already. */
  parse?(text: string, before: unknown): unknown;
  /** How a command line in a hint repeats the value; undefined: as it is, several with commas between. */
  again?(value: unknown): string;
  readonly default?: unknown;
  /** A hint repeats the flag for each of its values: a comma may be part of one. */
  readonly repeated?: true;
  /** The default as the help shows it; undefined: as it is. */
  readonly defaultText?: string;
  /** What it means without its value, where that may be left out. */
  readonly preset?: string;
  /** Which words a shell may offer as its value. */
  readonly offers?: readonly string[];
}

/**
 * All flags, by the name that commander gives their value, in the order of the help. A command names those that it has
 * (`addFlags` in command.ts) and may describe one in its own words; what goes with what is in together.ts.
 */
export const flags = {
  addSan: {
    syntax: '--add-san <names>',
    group: 'What',
    says: 'add to the SANs: a DNS name, IP address or wildcard, or several with commas; may be repeated',
    ...values.addedNames,
  },
  removeSan: {
    syntax: '--remove-san <names>',
    group: 'What',
    says: 'take away from the SANs, likewise',
    ...values.removedNames,
  },
  sansFromConfig: {
    syntax: '--sans-from-config',
    group: 'What',
    says: 'make the SANs what --config says',
  },
  validity: {
    syntax: '--validity <duration>',
    group: 'What',
    says: "how long they are valid, such as 720h, 90d or 2y (default: the configuration's, or a year)",
    ...values.validity,
  },
  updateKubeconfig: {
    syntax: '--update-kubeconfig <file>',
    group: 'What',
    says: 'also bring this copy of admin.conf up to date, such as ~/.kube/config; may be repeated',
    ...values.files,
  },
  force: { syntax: '--force', group: 'What', says: 'even where it would be refused' },
  compromised: {
    syntax: '--compromised',
    group: 'What',
    says: 'others may know the key: say what to do then',
  },
  certsOnly: {
    syntax: '--certs-only',
    group: 'What',
    says: 'look at no private key: for copies without keys',
  },
  live: { syntax: '--live', group: 'What', says: 'also ask the components of this node what they serve' },
  endpoint: {
    syntax: '--endpoint <host:port[,name]...>',
    group: 'What',
    says: 'also ask this address; name: how clients call it (default: the host)',
    ...values.endpoints,
  },
  cluster: {
    syntax: '--cluster',
    group: 'What',
    says: 'also ask the cluster whether it goes with this node',
  },
  kubeconfigFile: {
    syntax: '--kubeconfig-file <kubeconfig...>',
    group: 'What',
    says: "also look at this person's kubeconfig",
    ...values.directories,
  },
  cis: { syntax: '--cis', group: 'What', says: 'also judge owners and modes as the CIS benchmark does' },
  discard: {
    syntax: '--discard',
    group: 'What',
    says: 'give the interrupted change up: leave every file as it is now, keep the backup',
  },
  nodeName: {
    syntax: '--node-name <name>',
    group: 'What',
    says: 'the name of this node (default: its host name; with --rootfs what the files there say)',
  },
  advertiseAddress: {
    syntax: '--advertise-address <ip>',
    group: 'What',
    says: 'the address of this API server (default: an address of this machine; with --rootfs what the files there say)',
  },
  controlPlaneEndpoint: {
    syntax: '--control-plane-endpoint <host[:port]>',
    group: 'What',
    says: 'the address that all nodes use',
  },
  serviceCidr: {
    syntax: '--service-cidr <cidrs>',
    group: 'What',
    says: 'the service subnets (default: 10.96.0.0/12)',
  },
  dnsDomain: {
    syntax: '--dns-domain <name>',
    group: 'What',
    says: 'the DNS domain of services (default: cluster.local)',
  },
  certExtraSans: {
    syntax: '--cert-extra-sans <names>',
    group: 'What',
    says: 'more names and addresses for the API server, with commas between',
    ...values.texts,
  },
  compat: {
    syntax: '--compat <version>',
    group: 'What',
    says: 'as kubeadm of this version makes it, such as 1.32 or 1.34.8 (default: the newest that every cluster takes)',
    ...values.kubernetesVersion,
  },
  all: { syntax: '--all', group: 'What', says: 'all that are pending; wants --allow-cidr and --allow-dns' },
  allowCidr: {
    syntax: '--allow-cidr <cidr>',
    group: 'What',
    says: 'addresses of nodes: a network such as 192.0.2.0/24',
    ...values.list,
  },
  allowDns: {
    syntax: '--allow-dns <name>',
    group: 'What',
    says: 'names of nodes: example.internal, .example.internal or node-*.example',
    ...values.list,
  },
  accept: {
    syntax: '--accept <names>',
    group: 'What',
    says: 'go on without these conditions, with commas between: your word for what was not measured',
    ...values.list,
  },
  destroyOldKey: {
    syntax: '--destroy-old-key <id>',
    group: 'What',
    says: 'with finish: also destroy what this id is of, in the backups too: then there is no way back',
  },
  from: {
    syntax: '--from <files>',
    group: 'What',
    says: 'what "kubepki ca status -o json" has printed on the other nodes: files, or directories of .json, with commas between',
    ...values.list,
  },
  expect: {
    syntax: '--expect <nodes...>',
    group: 'What',
    says: 'with --from: exit 5 unless from just these nodes',
    ...values.list,
  },
  caCert: {
    syntax: '--ca-cert <file>',
    group: 'Signed elsewhere',
    says: 'with prepare, where the key of the CA is elsewhere: the certificate of the new CA',
    ...values.path,
  },
  crossCert: {
    syntax: '--cross-cert <file>',
    group: 'Signed elsewhere',
    says: "likewise: the new CA's name and key, signed by the old CA",
    ...values.path,
  },
  import: {
    syntax: '--import <file>',
    group: 'What',
    says: 'with prepare: the rotation of another control plane, as "ca rotate export" has written it',
    ...values.path,
  },
  key: {
    syntax: '--key <file>',
    group: 'What',
    says: 'the next key, from the control-plane node that made it',
    ...values.path,
  },
  denyInvalid: {
    syntax: '--deny-invalid',
    group: 'What',
    says: 'deny what fails a check, rather than leave it pending',
  },
  withKeys: {
    syntax: '--with-keys',
    group: 'What',
    says: 'also the keys of the new CAs, sealed with a passphrase: for other control planes',
  },

  within: {
    syntax: '--within <duration>',
    group: 'When',
    says: 'renew only what has expired or expires within this time, such as 30d or 4w',
    ...values.period,
  },
  warning: {
    syntax: '--warning <duration>',
    group: 'When',
    says: 'with -o nagios: when to warn (default: 30d)',
    ...values.period,
  },
  critical: {
    syntax: '--critical <duration>',
    group: 'When',
    says: 'with -o nagios: when it is critical (default: 7d)',
    ...values.period,
  },
  maxAge: {
    syntax: '--max-age <duration>',
    group: 'When',
    says: 'with --from: exit 5 if older (default: 24h)',
    ...values.period,
  },
  at: {
    syntax: '--at <time>',
    group: 'When',
    says: 'judge as of this moment, such as 2027-01-01T00:00:00Z',
    ...values.instant,
  },
  calendar: {
    syntax: '--calendar <when>',
    group: 'When',
    says: 'when the timer runs, as OnCalendar= takes it: systemd.time(7)',
    default: 'daily',
    ...values.calendar,
  },
  randomizedDelay: {
    syntax: '--randomized-delay <duration>',
    group: 'When',
    says: 'at most so much later, at another time on every node',
    default: 4 * 3_600_000,
    defaultText: '4h',
    ...values.delay,
  },

  restart: {
    syntax: '--restart',
    group: 'After',
    says: 'then restart what uses the changed certificates',
  },
  manifestsDir: {
    syntax: '--manifests-dir <dir>',
    group: 'After',
    says: 'the manifests of the static pods (default: manifests/ in the kubeconfig dir)',
    ...values.path,
  },
  settle: {
    syntax: '--settle <duration>',
    group: 'After',
    says: 'how long its manifest is away (default: 20s+)',
    ...values.duration('20s or 3m'),
  },
  // These two have no default here: an earlier run's restart that is made up for has its own.
  stopTimeout: {
    syntax: '--stop-timeout <duration>',
    group: 'After',
    says: 'how long a stop may take (default: 3m)',
    ...values.duration('20s or 3m'),
  },
  startTimeout: {
    syntax: '--start-timeout <duration>',
    group: 'After',
    says: 'how long a start may take (default: 5m)',
    ...values.duration('20s or 3m'),
  },
  lease: {
    syntax: '--no-lease',
    group: 'After',
    says: 'do not wait for other nodes that restart',
    default: true,
  },
  leaseTimeout: {
    syntax: '--lease-timeout <duration>',
    group: 'After',
    says: 'how long to wait for them',
    default: 600_000,
    defaultText: '10m',
    ...values.duration('10m or 1h'),
  },
  deployHook: {
    syntax: '--deploy-hook <command>',
    group: 'After',
    says: 'a shell command to run once after a change',
    ...values.shellCommand,
  },
  textfile: {
    syntax: '--textfile <file>',
    group: 'After',
    says: 'also write metrics there, for node_exporter',
    ...values.path,
  },
  keepBackups: {
    syntax: '--keep-backups <n>',
    group: 'After',
    says: 'of how many changes to keep backups',
    default: 5,
    ...values.backupCount,
  },

  csrOnly: {
    syntax: '--csr-only',
    group: 'Signed elsewhere',
    says: 'make new keys and CSRs for an external CA instead; "kubepki certs install" brings them back',
  },
  csrDir: {
    syntax: '--csr-dir <dir>',
    group: 'Signed elsewhere',
    says: 'where CSRs and keys go with --csr-only (default: the cert dir)',
    ...values.path,
  },
  fromBundle: {
    syntax: '--from-bundle <file>',
    group: 'Signed elsewhere',
    says: 'take the certificates from this PEM file too',
    ...values.path,
  },
  allowChanges: {
    syntax: '--allow-changes',
    group: 'Signed elsewhere',
    says: "accept other SANs than the CSR's, and show them",
  },
  useApi: {
    syntax: '--use-api',
    group: 'Signed elsewhere',
    says: "have them signed through the cluster's certificates API instead",
  },
  signerName: {
    syntax: '--signer-name <signer>',
    group: 'Signed elsewhere',
    says: 'with --use-api: who is to sign (default: kubernetes.io/kube-apiserver-client)',
    ...values.signerName,
  },
  approve: {
    syntax: '--approve',
    group: 'Signed elsewhere',
    says: 'with --use-api: approve the requests too',
  },
  timeout: {
    syntax: '--timeout <duration>',
    group: 'Signed elsewhere',
    says: 'with --use-api: how long to wait for the certificates (default: 5m)',
    ...values.apiTimeout,
  },
  resume: {
    syntax: '--resume',
    group: 'Signed elsewhere',
    says: 'with --use-api: go on with the requests that wait',
  },
  discardPending: {
    syntax: '--discard-pending',
    group: 'Signed elsewhere',
    says: 'with --use-api: give up the requests that wait, and their keys',
  },

  certDir: {
    syntax: '--cert-dir <dir>',
    group: 'Where',
    says: 'the certificates (default: /etc/kubernetes/pki)',
    ...values.path,
  },
  kubeconfigDir: {
    syntax: '--kubeconfig-dir <dir>',
    group: 'Where',
    says: 'the kubeconfigs (default: beside the cert dir if there are any, else /etc/kubernetes)',
    ...values.path,
  },
  config: {
    syntax: '--config <file>',
    group: 'Where',
    says: "kubeadm's configuration: a file, or its ConfigMap",
    ...values.path,
  },
  kubeconfig: {
    syntax: '--kubeconfig <file>',
    group: 'Where',
    says: "to ask the cluster for kubeadm's configuration (default: the admin.conf of this node)",
    ...values.path,
  },
  offline: { syntax: '--offline', group: 'Where', says: 'read nothing from the cluster' },
  rootfs: {
    syntax: '--rootfs <dir>',
    group: 'Where',
    says: 'look up every absolute path below this directory',
    ...values.path,
  },
  rootfsFrom: {
    syntax: '--rootfs-from <file>',
    group: 'Where',
    says: 'likewise, for the directories in this file, a line or a NUL after each; - is standard input',
    ...values.path,
  },
  exec: {
    syntax: '--exec <file>',
    group: 'Where',
    says: 'the kubepki that the units run (default: this one)',
    ...values.path,
  },
  unit: { syntax: '--unit <name>', group: 'Where', says: 'print this one alone' },
  outputDir: {
    syntax: '--output-dir <dir>',
    group: 'Where',
    says: 'write the units there instead, such as /etc/systemd/system',
    ...values.path,
  },

  passphraseFile: {
    syntax: '--passphrase-file <file>',
    group: 'How',
    says: 'the passphrase is the first line of this file, which only its owner may read (default: it is asked for)',
    ...values.path,
  },
  dryRun: { syntax: '--dry-run', group: 'How', says: 'show what would change, and change nothing' },
  lockTimeout: {
    syntax: '--lock-timeout <duration>',
    group: 'How',
    says: 'how long to wait for another run',
    default: 10_000,
    defaultText: '10s',
    ...values.duration('10s or 2m'),
  },
  output: {
    syntax: '-o, --output <format>',
    group: 'How',
    says: 'text, json or yaml',
    default: 'text',
    ...values.oneOf('text', 'json', 'yaml'),
  },
  allowMissingTemplateKeys: {
    syntax: '--allow-missing-template-keys [bool]',
    group: 'How',
    says: 'with -o jsonpath: false makes a missing field an error',
    preset: 'true',
    default: true,
    ...values.goBoolean,
  },
  quiet: {
    syntax: '--quiet',
    group: 'How',
    says: 'silent unless something is wrong or has changed',
  },
  color: {
    syntax: '--no-color',
    group: 'How',
    says: 'no colour, also on a terminal (as with NO_COLOR)',
    default: true,
  },
  v: { syntax: '-v, --v <level>', group: 'How' },
  // A printer flag of kubeadm.
  showManagedFields: { syntax: '--show-managed-fields [bool]', group: 'How' },
} as const satisfies Readonly<Record<string, Flag>>;

export type FlagName = keyof typeof flags;

type Value<Row> = Row extends { parse: (...given: never) => infer Parsed }
  ? Parsed
  : Row extends { syntax: `${string}<${string}` }
    ? string
    : boolean;

type WithDefault = {
  [Name in FlagName]: (typeof flags)[Name] extends { default: unknown } ? Name : never;
}[FlagName];

/** The values of these flags, as a command gets them: `Typed<'rootfs' | 'dryRun'>`. */
export type Typed<Name extends FlagName> = {
  readonly [One in Exclude<Name, WithDefault>]?: Value<(typeof flags)[One]>;
} & { readonly [One in Extract<Name, WithDefault>]: Value<(typeof flags)[One]> };

/** Those that say which node's files are meant. */
export const nodeFlags = [
  'certDir',
  'kubeconfigDir',
  'config',
  'rootfs',
] as const satisfies readonly FlagName[];

/** Of a command that judges what other nodes have printed. */
export const documentFlags = ['from', 'expect', 'maxAge'] as const satisfies readonly FlagName[];

/** Of every command that says something along the way. */
export const commonFlags = ['quiet', 'v', 'color'] as const satisfies readonly FlagName[];

/** Of the commands that read kubeadm's configuration from the cluster. */
export const clusterFlags = ['kubeconfig', 'offline'] as const satisfies readonly FlagName[];

export const sanFlags = ['addSan', 'removeSan', 'sansFromConfig'] as const satisfies readonly FlagName[];

/** What goes with --use-api, and that. */
export const apiFlags = [
  'useApi',
  'signerName',
  'approve',
  'timeout',
  'resume',
  'discardPending',
] as const satisfies readonly FlagName[];

/** What a restart goes by. */
export const restartFlags = [
  'manifestsDir',
  'settle',
  'stopTimeout',
  'startTimeout',
] as const satisfies readonly FlagName[];

/** By what the nodes of a cluster restart one at a time. */
export const leaseFlags = ['lease', 'leaseTimeout'] as const satisfies readonly FlagName[];

/** Of a command that may restart what it has changed. */
export const restartAfterFlags = [
  'restart',
  ...restartFlags,
  ...leaseFlags,
] as const satisfies readonly FlagName[];

/** Of a command that changes what is in use. */
export const changeFlags = [
  'output',
  'deployHook',
  'dryRun',
  'keepBackups',
  'lockTimeout',
] as const satisfies readonly FlagName[];

/** All times in milliseconds; `settle` undefined: as long as the kubelet takes to look. */
export type RestartFlags = Typed<(typeof restartFlags)[number]>;

/** Those of these flags that were typed, again, for a command line in a hint: each a word for the shell. */
export function retyped(
  options: Readonly<Partial<Record<FlagName, unknown>>>,
  names: readonly FlagName[],
): string[] {
  return names.flatMap((name) => {
    const flag: Flag = flags[name];
    const value = options[name];
    if (value === false && flag.syntax.startsWith('--no-')) return [longOf(name)];
    if (value === undefined || value === false || value === flag.default) return [];
    const long = longOf(name);
    if (value === true) return [long];
    if (flag.repeated === true) return (value as string[]).flatMap((one) => [long, shellWord(one)]);
    return [long, shellWord(flag.again?.(value) ?? [value as string | string[]].flat().join(','))];
  });
}

/** `--add-san` */
export function longOf(name: FlagName): string {
  return /--[\w-]+/.exec(flags[name].syntax)?.[0] ?? '';
}
