import type { UnitName } from '../../render/systemd-units.ts';
import { type Command, InvalidArgumentError, type Option } from 'commander';
import { addFlags, explain } from '../../flags/command.ts';
import { nodeFlags, restartAfterFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import { unitNames } from '../../render/systemd-units.ts';
import type { SystemdOptions } from './systemd.ts';

export function addSystemd(program: Command, run: Run): void {
  const command = program
    .command('systemd')
    .summary('print systemd units that renew what is due')
    .description(
      'Prints a service and a timer that renew what is due, and a service that brings an interrupted change to an end before ' +
        'the kubelet starts. All flags of "kubepki certs renew" among these go into the unit.',
    );
  addFlags(command, ['within', ...restartAfterFlags, 'validity', 'keepBackups', 'lockTimeout'], {
    within: { default: '60d' },
    // What was not given is for renew to know.
    keepBackups: { default: undefined },
    lockTimeout: { default: undefined },
    leaseTimeout: { default: undefined },
  });
  addFlags(command, ['textfile', 'deployHook', ...nodeFlags]);
  for (const option of command.options) asTyped(option);
  addFlags(command, ['calendar', 'randomizedDelay', 'exec', 'unit', 'outputDir', 'force', 'v'], {
    unit: { says: `print this one alone: ${unitNames.join(', ')}`, offers: unitNames, parse: parseUnit },
    force: { says: 'with --output-dir: replace units that say something else' },
  }).action(async (_options, self: Command) => {
    const given = self.optsWithGlobals<SystemdOptions & TerminalOptions>();
    const { printUnits } = await import('./systemd.ts');
    run.done(await printUnits(given, run.open(given)));
  });
  explain(command, {
    examples: [
      'kubepki systemd --restart',
      "kubepki systemd --restart --textfile /var/lib/prometheus/node-exporter/kubepki.prom --calendar 'Sun 03:00'",
      'kubepki systemd --restart --output-dir /etc/systemd/system',
    ],
    notes: [
      'To install them: with --output-dir, then systemctl daemon-reload, systemctl enable --now kubepki-renew.timer, and systemctl enable kubepki-recover.service.',
    ],
    pages: ['timer', 'hooks'],
  });
}

/** What `renew` would not understand is an error here already; what it would is handed on as it is. */
function asTyped(option: Option): void {
  const parse = option.parseArg;
  if (parse === undefined) return;
  option.argParser((text: string) => {
    parse(text, undefined);
    return text;
  });
}

function parseUnit(text: string): UnitName {
  const name = unitNames.find((one) => one === text);
  if (name !== undefined) return name;
  throw new InvalidArgumentError(`use ${unitNames.join(', ')}`);
}
