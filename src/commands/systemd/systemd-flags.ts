import { type Command, InvalidArgumentError, Option } from 'commander';
import { longestPeriod, parsePeriod } from '../../config/period.ts';
import { unitNames } from '../../render/systemd-units.ts';
import { deployHookOption } from '../../flags/deploy-hook-option.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { explain } from '../../flags/help/explain.ts';
import { tooLong } from '../../flags/duration-option.ts';
import { offering } from '../../flags/names/offering.ts';
import { keepBackupsOption, lockTimeoutOption, nodeOptions, pathOption } from '../../flags/options.ts';
import { withinOption } from '../../flags/period-option.ts';
import { restartOptions } from '../../flags/restart-options.ts';
import type { SystemdOptions } from './systemd.ts';
import { openTerminal, type TerminalOptions } from '../../terminal/terminal.ts';
import { textfileOption } from '../../flags/textfile-option.ts';
import { validityOption } from '../../flags/validity-option.ts';

export function addSystemd(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('systemd')
    .summary('print systemd units that renew what is due')
    .description(
      'Prints a service and a timer that renew what is due, and a service that brings an interrupted change to an end before ' +
        'the kubelet starts. All flags of "kubepki certs renew" among these go into the unit.',
    )
    .allowExcessArguments(false);
  const options = [
    withinOption('renew only what has expired or expires within this time').default('60d'),
    new Option('--restart', 'then restart the components whose certificates changed'),
    ...[...restartOptions(), validityOption(), keepBackupsOption(), lockTimeoutOption()],
    ...[textfileOption(), deployHookOption()],
    ...nodeOptions({ kubeconfig: false }),
  ];
  for (const option of options) command.addOption(asTyped(option));
  command
    .addOption(
      new Option('--calendar <when>', 'when the timer runs, as OnCalendar= takes it: systemd.time(7)')
        .default('daily')
        .argParser(parseCalendar),
    )
    .addOption(
      new Option('--randomized-delay <duration>', 'at most so much later, at another time on every node')
        .default(4 * 3_600_000, '4h')
        .argParser(parseDelay),
    )
    .addOption(pathOption('--exec <file>', 'the kubepki that the units run (default: this one)'))
    .addOption(
      offering(
        new Option('--unit <name>', `print this one alone: ${unitNames.join(', ')}`),
        unitNames,
      ).argParser(parseUnit),
    )
    .addOption(pathOption('--output-dir <dir>', 'write the units there instead, such as /etc/systemd/system'))
    .option('--force', 'with --output-dir: replace units that say something else')
    .addOption(new Option('-v, --v <level>').hideHelp())
    .action(async (_options, self: Command) => {
      const given = self.optsWithGlobals<SystemdOptions & TerminalOptions>();
      const { printUnits } = await import('./systemd.ts');
      done(await printUnits(given, openTerminal(given)));
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
function asTyped(option: Option): Option {
  const parse = option.parseArg;
  if (parse === undefined) return option;
  // What was not given is for renew to know.
  if (typeof option.defaultValue !== 'string') option.default(undefined);
  return option.argParser((text: string) => {
    parse(text, undefined);
    return text;
  });
}

function parseCalendar(text: string): string {
  if (/^[\w*:,./~+ -]+$/.test(text) && text.trim() === text) return text;
  throw new InvalidArgumentError("use a calendar event such as daily or 'Sun 03:00'");
}

function parseDelay(text: string): number {
  const milliseconds = text === '0' ? 0 : parsePeriod(text);
  if (milliseconds === 'too-long') throw new InvalidArgumentError(tooLong(longestPeriod));
  if (milliseconds !== undefined) return milliseconds;
  throw new InvalidArgumentError('use a duration such as 4h or 30m');
}

function parseUnit(text: string): string {
  if (unitNames.some((name) => name === text)) return text;
  throw new InvalidArgumentError(`use ${unitNames.join(', ')}`);
}
