import type { Command } from 'commander';
import { KubepkiError } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import { plainSpelling, similarWords } from './similar-words.ts';

/** The command that the first words are names of, and the words after it. */
interface Called {
  readonly command: Command;
  readonly rest: readonly string[];
}

export function calledBy(program: Command, words: readonly string[]): Called {
  let command = program;
  let rest = words;
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) break;
    command = next;
    rest = rest.slice(1);
  }
  return { command, rest };
}

/** `kubepki certs renew` */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/**
 * @param words as typed, without `kubepki`
 * @returns undefined where they name no command that there is not
 */
export function unknownCommand(program: Command, words: readonly string[]): KubepkiError | undefined {
  const { command: group, rest } = calledBy(program, words);
  const [name, ...others] = rest;
  if (name === undefined || name.startsWith('-') || group.commands.length === 0) return undefined;
  const path = pathOf(group);
  const meant = meantBy(name, group, program);
  const again = (command: Command): string => [pathOf(command), ...others.map(shellWord)].join(' ');
  const [only] = meant;
  return new KubepkiError('usage', `unknown command ${JSON.stringify(name)} for ${JSON.stringify(path)}`, {
    hint:
      only === undefined
        ? `${path} --help shows the commands`
        : meant.length === 1
          ? `did you mean: ${again(only)}`
          : `did you mean one of: ${meant.map(pathOf).join(', ')}`,
  });
}

/**
 * The command that words are the name of, whatever follows: `help certs renew apiserver` is about renew, as with cobra.
 * @throws KubepkiError usage
 */
export function requireCommand(program: Command, words: readonly string[]): Command {
  const unknown = unknownCommand(program, words);
  if (unknown !== undefined) throw unknown;
  return calledBy(program, words).command;
}

/** What has that name elsewhere, as `renew` without `certs`; else what is near it, first in the same group. */
function meantBy(name: string, group: Command, program: Command): readonly Command[] {
  const all = commandsBelow(program);
  const exact = all.filter((one) => plainSpelling(one.name()) === plainSpelling(name));
  // kubeadm's commands are all in one group, and so a word without its group is of that one.
  const kubeadms = exact.filter(({ parent }) => parent?.name() === 'certs');
  if (exact.length > 0) return kubeadms.length > 0 ? kubeadms : exact;
  const near = (commands: readonly Command[]): readonly Command[] => {
    const names = similarWords(
      name,
      commands.map((one) => one.name()),
    );
    return commands.filter((one) => names.includes(one.name()));
  };
  const here = near(group.commands);
  return here.length > 0 ? here : near(all);
}

function commandsBelow(command: Command): readonly Command[] {
  return command.commands.flatMap((one) => [one, ...commandsBelow(one)]);
}
