import type { Argument, Command, Option } from 'commander';
import { commandFirst } from './command-first.ts';
import { exitCodes, type ExitCode } from '../terminal/exit-code.ts';
import { offeredFor, type Offer, type Word } from '../flags/command.ts';
import { buildProgram } from './program.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** What has been typed before the word that is to be completed. */
interface Typed {
  readonly command: Command;
  /** With their values; a flag without one has ''. */
  readonly flags: ReadonlyMap<Option, string>;
  readonly operands: readonly string[];
  /** The last flag, where its value is still to come. */
  readonly waiting: Option | undefined;
  /** `--` has been typed: no flag follows. */
  readonly isLiteral: boolean;
}

/** The shells complete paths themselves. */
type Candidates = Offer | 'files' | 'directories';

/**
 * Prints what may stand in the place of the last word, for the shells' scripts (render/completion/). Which of
 * them go with the word is for the shell to say.
 */
export async function printCandidates(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const before = commandFirst(words.slice(0, -1));
  const typed = typedIn(await buildProgram('', before), before);
  const { candidates, prefix } = candidatesFor(typed, words.at(-1) ?? '');
  if (typeof candidates === 'string' && candidates !== 'backup') {
    terminal.result(`:${candidates}\n`);
    return exitCodes.done;
  }
  const offer = candidates === 'backup' ? await backups(typed, terminal) : candidates;
  const lines = offer.map(
    ({ word, description }) => `${prefix}${word}${description === '' ? '' : `\t${description}`}\n`,
  );
  terminal.result(`${lines.join('')}:words\n`);
  return exitCodes.done;
}

function typedIn(program: Command, words: readonly string[]): Typed {
  const flags = new Map<Option, string>();
  const operands: string[] = [];
  let command = program;
  let waiting: Option | undefined;
  let isLiteral = false;
  for (const word of words) {
    if (waiting !== undefined) {
      flags.set(waiting, word);
      waiting = undefined;
    } else if (isLiteral || !word.startsWith('-')) {
      const child = command.commands.find((one) => one.name() === word);
      if (child === undefined) operands.push(word);
      else command = child;
    } else if (word === '--') {
      isLiteral = true;
    } else {
      const { name, value } = flagIn(word);
      const option = optionOf(command, name);
      if (option === undefined) continue;
      flags.set(option, value ?? '');
      if (option.required && value === undefined) waiting = option;
    }
  }
  return { command, flags, operands, waiting, isLiteral };
}

/** `--output=json`, `-ojson` */
function flagIn(word: string): { name: string; value?: string } {
  const [, name = word, value] = /^(--[^=]+(?==)|-[^-](?=.))=?(.*)$/s.exec(word) ?? [];
  return value === undefined ? { name } : { name, value };
}

/** The command's own, or that of a group above it. */
function optionOf(command: Command | null, name: string): Option | undefined {
  if (command === null) return undefined;
  return command.options.find(isNamed(name)) ?? optionOf(command.parent, name);
}

function isNamed(name: string): (option: Option) => boolean {
  return ({ short, long }) => name === short || name === long;
}

function candidatesFor(typed: Typed, partial: string): { candidates: Candidates; prefix: string } {
  const { command, waiting, isLiteral } = typed;
  if (waiting !== undefined) return { candidates: valuesOf(waiting), prefix: '' };
  const mayBeFlag = !isLiteral && partial.startsWith('-');
  const { name, value } = flagIn(partial);
  const option = mayBeFlag && value !== undefined ? optionOf(command, name) : undefined;
  if (option?.required === true && value !== undefined) {
    return { candidates: valuesOf(option), prefix: partial.slice(0, partial.length - value.length) };
  }
  const operands = mayBeFlag ? [] : operandsLeft(typed);
  if (operands.length > 0 || isLiteral) return { candidates: operands, prefix: '' };
  // fish also picks what only resembles the word.
  return { candidates: flagsLeft(typed).filter(({ word }) => word.startsWith(partial)), prefix: '' };
}

/** `--config <file>`, `--cert-dir <dir>`: the help says already what it is. */
function valuesOf(option: Option): Candidates {
  const path = /<(file|dir)(?:\.{3})?>$/.exec(option.flags)?.[1];
  return offeredFor(option) ?? (path === undefined ? [] : path === 'file' ? 'files' : 'directories');
}

function operandsLeft({ command, operands }: Typed): Offer {
  const help = command.createHelp();
  const [argument] = command.registeredArguments as readonly (Argument | undefined)[];
  if (operands.length > 0 && argument?.variadic !== true) return [];
  if (command.commands.length > 0) {
    const commands = help.visibleCommands(command);
    return commands.map((one) => ({ word: one.name(), description: help.subcommandDescription(one) }));
  }
  const offer = (argument && offeredFor(argument)) ?? [];
  return offer === 'backup' ? offer : offer.filter(({ word }) => !operands.includes(word));
}

/** A group's commands repeat the flags of the program that mean something to them, and so does the group here. */
function flagsLeft({ command, flags }: Typed): readonly Word[] {
  const help = command.createHelp();
  const above = command.commands.length > 0 ? command.parent : null;
  const passedOn = above === null ? [] : help.visibleOptions(above).filter(({ required }) => required);
  return [...help.visibleOptions(command), ...passedOn]
    .filter((option) => !flags.has(option) || mayBeRepeated(option))
    .flatMap(({ short, long, description }) =>
      [short, long].flatMap((word) => (word === undefined ? [] : [{ word, description }])),
    );
}

/** A value that is anything may be one of several: `--add-san A --add-san B`. */
function mayBeRepeated(option: Option): boolean {
  const values = valuesOf(option);
  return option.variadic || (option.required && values.length === 0);
}

/** A cert dir that only `--config` names is not found: a configuration is more than a key press should read. */
async function backups({ flags, operands }: Typed, terminal: Terminal): Promise<readonly Word[]> {
  if (operands.length > 0) return [];
  const { offeredBackups } = await import('../commands/completion/offered-backups.ts');
  const directory = (flag: string): string | undefined =>
    // The shell would have put the home directory there.
    [...flags]
      .find(([option]) => isNamed(flag)(option))?.[1]
      .replace(/^~(?=\/)/, () => process.env['HOME'] ?? '~');
  const [rootfs, certDir] = [directory('--rootfs'), directory('--cert-dir')];
  const ids = await offeredBackups({ ...(rootfs && { rootfs }), ...(certDir && { certDir }) }, terminal);
  return ids.map((word) => ({ word, description: '' }));
}
