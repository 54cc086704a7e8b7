import { Command } from 'commander';
import { addFlags, explain } from '../flags/command.ts';
import { formatHelp } from '../flags/help/layout.ts';
import { requireTogether } from '../flags/together.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Run } from '../terminal/terminal.ts';

type Add = (parent: Command, run: Run) => void;

/** By the word that calls it; in the order of the help. Each is loaded when it is needed. */
type Commands = Readonly<Record<string, () => Promise<Add>>>;

const certsCommands: Commands = {
  'check-expiration': async () =>
    (await import('../commands/check-expiration/check-expiration-flags.ts')).addCheckExpiration,
  renew: async () => (await import('../commands/renew/renew-flags.ts')).addRenew,
  install: async () => (await import('../commands/install/install-flags.ts')).addInstall,
  generate: async () => (await import('../commands/generate/generate-flags.ts')).addGenerate,
  'generate-csr': async () => (await import('../commands/generate-csr/generate-csr-flags.ts')).addGenerateCsr,
  'certificate-key': async () =>
    (await import('../commands/generate/certificate-key-flags.ts')).addCertificateKey,
  recover: async () => (await import('../commands/rollback/recover-flags.ts')).addRecover,
  history: async () => (await import('../commands/rollback/history-flags.ts')).addHistory,
  rollback: async () => (await import('../commands/rollback/rollback-flags.ts')).addRollback,
};

const csrCommands: Commands = {
  list: async () => (await import('../commands/csr/csr-list-flags.ts')).addCsrList,
  approve: async () => (await import('../commands/csr/csr-approve-flags.ts')).addCsrApprove,
  deny: async () => (await import('../commands/csr/csr-deny-flags.ts')).addCsrDeny,
};

const caCommands: Commands = {
  renew: async () => (await import('../commands/ca-renew/ca-renew-flags.ts')).addCaRenew,
  trust: async () => (await import('../commands/ca-trust/ca-trust-flags.ts')).addCaTrust,
  rotate: async () => (await import('../commands/ca-rotate/ca-rotate-flags.ts')).addCaRotate,
  status: async () => (await import('../commands/ca-status/ca-status-flags.ts')).addCaStatus,
  references: async () => (await import('../commands/ca-references/ca-references-flags.ts')).addCaReferences,
  rollback: async () => (await import('../commands/rollback/ca-rollback-flags.ts')).addCaRollback,
};

const saCommands: Commands = {
  rotate: async () => (await import('../commands/sa-rotate/sa-rotate-flags.ts')).addSaRotate,
  status: async () => (await import('../commands/sa-rotate/sa-status-flags.ts')).addSaStatus,
};

const otherCommands: Commands = {
  verify: async () => (await import('../commands/verify/verify-flags.ts')).addVerify,
  restart: async () => (await import('../commands/restart/restart-flags.ts')).addRestart,
  systemd: async () => (await import('../commands/systemd/systemd-flags.ts')).addSystemd,
  completion: async () => (await import('../commands/completion/completion-flags.ts')).addCompletion,
  version: async () => (await import('../commands/version/version-flags.ts')).addVersion,
  help: async () => (await import('../commands/help/help-flags.ts')).addHelp,
};

/** Commands that stand behind a word of their own. */
interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly explained: Parameters<typeof explain>[1];
  readonly commands: Commands;
}

const commandGroups: readonly CommandGroup[] = [
  {
    name: 'certs',
    summary: 'show when certificates end, renew them, take a renewal back',
    description: 'Show when the certificates end, renew them, and take a renewal back.',
    explained: {
      examples: ['kubepki certs check-expiration', 'kubepki certs renew all --restart'],
      pages: ['check', 'renew', 'exit-codes'],
    },
    commands: certsCommands,
  },
  {
    name: 'ca',
    summary: 'renew the CAs, and replace them in stages',
    description: 'Renew the CAs of the cluster with their keys, and replace them in stages.',
    explained: { pages: ['cas', 'exit-codes'] },
    commands: caCommands,
  },
  {
    name: 'sa',
    summary: 'replace the key that signs service-account tokens',
    description: 'Replace the key that signs the tokens of service accounts, in stages.',
    explained: { pages: ['service-account-key', 'exit-codes'] },
    commands: saCommands,
  },
  {
    name: 'csr',
    summary: "approve kubelets' requests for their serving certificates",
    description:
      'Show the signing requests of the cluster, and approve or deny those of kubelets for their serving certificates.',
    explained: {
      notes: [
        'Kubelets with "serverTLSBootstrap: true" ask for the certificate they serve, and no controller of Kubernetes approves that.',
        'Exit codes: 0 done, 1 error, or a request that was named was refused.',
      ],
      pages: ['kubelet-serving'],
    },
    commands: csrCommands,
  },
];

const noRun: Run = {
  open: () => {
    throw new TypeError('nothing is run');
  },
  done: () => undefined,
};

/**
 * The command line. Flags, their defaults and their spellings are kubeadm's, so that its command lines work as they are.
 * @param words what was typed, the command first: where they begin with a group and one of its commands, nothing else is made, as it
 * would take as long as the command itself
 * @param run what the command that is called works with; left out where the program is only looked at
 */
export async function buildProgram(version: string, words: readonly string[], run = noRun): Promise<Command> {
  const program = new Command('kubepki')
    .description('Looks after the PKI of kubeadm-built Kubernetes control planes.')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .hook('preAction', (_program, command) => {
      requireTogether(command);
    })
    .exitOverride()
    .configureHelp({ formatHelp })
    .configureOutput({
      writeOut: (text) => {
        run.open({ color: false }).result(text);
      },
      outputError: () => undefined,
    });
  addFlags(program, ['v']);
  asGroup(program, words, run);
  const groups = commandGroups.map(({ name, summary, description, explained, commands }) => {
    const parent = program.command(name).summary(summary).description(description);
    explain(parent, explained);
    asGroup(parent, words, run);
    return { parent, commands };
  });
  const [first = '', second = ''] = words;
  if (first === 'verify') {
    (await otherCommands[first]?.())?.(program, run);
    return program;
  }
  const called = groups.find(({ parent }) => parent.name() === first);
  if (called !== undefined && Object.hasOwn(called.commands, second)) {
    const add = await called.commands[second]?.();
    add?.(called.parent, run);
    return program;
  }
  // What the program itself has is taken out of all the words; the command that is called has its own.
  addFlags(program, ['rootfs']);
  for (const { parent, commands } of [...groups, { parent: program, commands: otherCommands }]) {
    for (const load of Object.values(commands)) (await load())(parent, run);
  }
  return program;
}

/**
 * A command that only holds others: without one it shows its help, as kubeadm does, and an unknown one is an error. `certs help renew`
 * is what `help certs renew` is.
 * @param words the whole command line: the command that was meant is said with all its flags
 */
function asGroup(command: Command, words: readonly string[], run: Run): void {
  command
    .argument('[command]')
    .usage('[command] [options]')
    .allowExcessArguments()
    .action(async (name: string | undefined) => {
      if (name === undefined) {
        const code = command.parent === null ? await summaryOfThisNode(command, run) : undefined;
        if (code === undefined) command.outputHelp();
        else run.done(code);
        return;
      }
      const { requireCommand } = await import('../flags/names/unknown-command.ts');
      const help = name === 'help' ? words.indexOf(name) : -1;
      const named = words.filter((_word, index) => index !== help);
      requireCommand(command.parent ?? command, named).outputHelp();
    });
}

/** @returns undefined where this is no node of kubeadm's */
async function summaryOfThisNode(program: Command, run: Run): Promise<ExitCode | undefined> {
  const { summarise } = await import('../commands/verify/summary.ts');
  const options = program.opts<{ readonly rootfs?: string }>();
  return summarise(options, run.open({ color: true }));
}
