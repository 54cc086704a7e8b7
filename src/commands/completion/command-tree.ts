import type { Argument, Command, Option } from 'commander';
import type { Candidates, CommandTree, Flag } from '../../render/completion/command-tree.ts';
import { offeredFor } from '../../flags/names/offering.ts';

/** What commander knows of a command and all below it, for the shells. */
export function commandTree(command: Command, inherited: readonly Flag[] = []): CommandTree {
  const help = command.createHelp();
  const own = help.visibleOptions(command).map(flagOf);
  const isGroup = command.commands.length > 0;
  // The commands themselves repeat the flags of the groups above them that mean something to them.
  const flags = isGroup ? [...own, ...inherited.filter((flag) => !own.some(sameAs(flag)))] : own;
  const passedOn = flags.filter(({ value }) => value !== undefined);
  return {
    name: command.name(),
    description: help.subcommandDescription(command),
    flags,
    operands: isGroup ? undefined : operandsOf(command.registeredArguments),
    commands: help.visibleCommands(command).map((child) => commandTree(child, passedOn)),
  };
}

function sameAs({ names: [name] }: Flag): (other: Flag) => boolean {
  return ({ names }) => name !== undefined && names.includes(name);
}

function flagOf(option: Option): Flag {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  return {
    names,
    description: option.description,
    value: option.required ? candidatesFor(option, option.flags) : undefined,
  };
}

function operandsOf([first]: readonly Argument[]): CommandTree['operands'] {
  if (first === undefined) return undefined;
  return { candidates: candidatesFor(first, ''), variadic: first.variadic };
}

/** `--config <file>`, `--cert-dir <dir>`: the help says already what it is. */
function candidatesFor(what: Argument | Option, flags: string): Candidates {
  const offered = offeredFor(what);
  if (offered !== undefined) return offered;
  if (flags.endsWith('<file>')) return { kind: 'file' };
  return { kind: /<dir(?:\.{3})?>$/.test(flags) ? 'directory' : 'anything' };
}
