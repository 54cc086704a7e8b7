import { InvalidArgumentError, Option, type Command } from 'commander';
import { explain } from '../../flags/help/explain.ts';
import { offering } from '../../flags/names/offering.ts';
import { addNodeOptions, atOption } from '../../flags/options.ts';
import { withoutEquals } from '../../flags/output-option.ts';
import { parsePeriodOption, withinOption } from '../../flags/period-option.ts';
import { treesOptions } from '../../flags/trees-options.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { openTerminal, type TerminalOptions } from '../../terminal/terminal.ts';
import type { GivenEndpoint } from '../../operations/verification/endpoints.ts';
import type { VerifyOptions } from './verify.ts';

const formats = ['text', 'json', 'yaml', 'junit', 'github'] as const;

export function addVerify(program: Command, done: (code: ExitCode) => void): void {
  const command = addNodeOptions(
    program
      .command('verify')
      .summary("look at everything in this node's PKI: what is wrong, and what mends it")
      .description("Looks at everything in this node's PKI, offline, and says what mends what is wrong."),
    { kubeconfig: false, rootfs: treesOptions() },
  )
    .addOption(
      offering(new Option('-o, --output <format>', 'text, json, yaml, junit or github'), formats)
        .default('text')
        .argParser(parseOutput),
    )
    .addOption(
      withinOption('exit 4 if a certificate ends within this time').default(parsePeriodOption('30d'), '30d'),
    )
    .addOption(new Option('--live', 'also ask the components that run here what they serve, for 3s at most'))
    .addOption(
      new Option(
        '--endpoint <host:port[,name]...>',
        'also ask this address; name is what is asked for (SNI)',
      ).argParser(parseEndpoint),
    )
    .addOption(new Option('--cis', 'also judge owners and modes as the CIS benchmark does'))
    .addOption(new Option('--certs-only', 'look at no private key'))
    .addOption(atOption('judge as of this moment'))
    .action(async (_options, self: Command) => {
      const options = self.optsWithGlobals<VerifyOptions & TerminalOptions>();
      const { verify } = await import('./verify.ts');
      done(await verify(options, openTerminal(options)));
    });
  explain(command, { examples: ['kubepki verify', 'kubepki verify -o junit > kubepki.xml'] });
}

function parseOutput(value: string): (typeof formats)[number] {
  const found = formats.find((format) => format === withoutEquals(value));
  if (found === undefined) throw new InvalidArgumentError('use text, json, yaml, junit or github');
  return found;
}

/** @throws InvalidArgumentError */
function parseEndpoint(value: string, before: readonly GivenEndpoint[] = []): readonly GivenEndpoint[] {
  const [, bracketed, plain, digits, name] =
    /^(?:\[([0-9a-f:.]+)\]|([^:,[\]]+)):(\d+)(?:,(.+))?$/i.exec(value) ?? [];
  const [host, port] = [bracketed ?? plain, Number(digits)];
  if (host === undefined || !(port >= 1 && port <= 65_535))
    throw new InvalidArgumentError('use HOST:PORT, [IPV6]:PORT, or HOST:PORT,NAME');
  return [...before, { host, port, serverName: name }];
}
