import type { Command } from 'commander';
import { KubepkiError } from '../../errors/error.ts';
import { similarWords } from '../../flags/names/similar-words.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { requireCommand, unknownCommand } from '../../flags/names/unknown-command.ts';
import { otherNames, topicNames, topicOf, type TopicName } from '../../flags/help/topics.ts';

/**
 * A page, or the help of a command. A command that has the name of a page would come first: none has.
 * @throws KubepkiError usage
 */
export async function showHelp(
  program: Command,
  words: readonly string[],
  terminal: Terminal,
): Promise<void> {
  const [first = ''] = words;
  const topic = topicOf(first);
  if (topic !== undefined) {
    terminal.result(await pageOf(topic));
    return;
  }
  requireKnown(program, first);
  requireCommand(program, words).outputHelp();
}

async function pageOf(topic: TopicName): Promise<string> {
  const { default: pages } = await import('./pages.json', { with: { type: 'json' } });
  return `${pages[topic].join('\n')}\n`;
}

/** @throws KubepkiError usage for a first word that is nothing */
function requireKnown(program: Command, word: string): void {
  const unknown = unknownCommand(program, [word]);
  if (word === '' || unknown === undefined) return;
  const similar = similarWords(word, [...topicNames, ...Object.keys(otherNames)]);
  const meant = [...new Set(similar.map((name) => topicOf(name)))];
  const hint =
    meant.length === 0
      ? unknown.hint
      : `did you mean${meant.length === 1 ? '' : ' one of'}: ${meant.map((name) => `kubepki help ${String(name)}`).join(', ')}`;
  throw new KubepkiError('usage', `unknown topic or command ${JSON.stringify(word)}`, { hint });
}
