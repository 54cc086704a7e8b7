/** What `npm run man` makes, as text: the man pages and the pages of `kubepki help`, from docs/ and the flags. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { pageOf, topicNames, type TopicName } from '../../src/flags/help/topics.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { parseMarkdown, type Block } from './markdown.mts';
import { filledText, nameSection, quoted, renderBlocks, renderCommand, textLine } from './roff.mts';
import { renderText } from './text.mts';

const root = new URL('../../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };

interface ManPageContent {
  readonly summary: string;
  /** Those of docs/ that are a part of it, in this order. */
  readonly topics: readonly TopicName[];
}

const manPages = {
  kubepki: {
    summary: 'look after the certificates of kubeadm control planes',
    topics: ['restarts', 'timer', 'hooks', 'files', 'configuration', 'exit-codes', 'kubeadm'],
  },
  'kubepki-certs': {
    summary: 'check, renew and roll back certificates',
    topics: [
      ...(['check', 'renew', 'undo', 'external-ca', 'certificates-api'] as const),
      ...(['generate', 'monitoring', 'json'] as const),
    ],
  },
  'kubepki-ca': { summary: 'renew the CAs, and replace them in stages', topics: ['cas'] },
  'kubepki-sa': { summary: 'replace the service-account key', topics: ['service-account-key'] },
  'kubepki-csr': { summary: 'approve the signing requests of kubelets', topics: ['kubelet-serving'] },
} as const satisfies Readonly<Record<string, ManPageContent>>;

type ManPage = keyof typeof manPages;

/** Makes each anew with the date that it has, or another one. */
export async function renderManPages(dateOf: (name: string) => string): Promise<ReadonlyMap<string, string>> {
  const program = await buildProgram(version, []);
  const names = Object.keys(manPages) as ManPage[];
  return new Map(
    names.map((name) => {
      const file = `${name}.8`;
      const [, group] = name.split('-');
      const command = program.commands.find((one) => one.name() === group) ?? program;
      return [file, manPage(name, command, dateOf(file))];
    }),
  );
}

function manPage(name: ManPage, command: Command, date: string): string {
  const isProgram = command.parent === null;
  const commands = command.commands.filter((one) => one.commands.length === 0);
  const groups = command.commands.filter((one) => one.commands.length > 0);
  const { summary, topics } = manPages[name];
  const others = (Object.keys(manPages) as ManPage[]).filter((other) => other !== name);
  return [
    `.\\" Made by npm run man, from the flags and docs/: a change here is lost.`,
    `.TH ${quoted(name.toUpperCase())} 8 "${date}" ${quoted(`kubepki ${version}`)} "System Manager's Manual"`,
    ...nameSection(name, summary),
    '.SH SYNOPSIS',
    ...command.commands.flatMap((one, index) => [
      ...(index === 0 ? [] : ['.br']),
      textLine(`${isProgram ? 'kubepki' : `kubepki ${command.name()}`} ${one.name()} ${one.usage()}`),
    ]),
    '.SH DESCRIPTION',
    ...(isProgram ? renderBlocks(introduction()) : filledText(command.description())),
    ...groups.flatMap((group) => [
      '.PP',
      ...filledText(`kubepki ${group.name()}, in kubepki-${group.name()}(8): ${group.description()}`),
    ]),
    '.SH COMMANDS',
    ...commands.flatMap(renderCommand),
    ...topics.flatMap((page) => renderBlocks(blocksOf(page))),
    '.SH "SEE ALSO"',
    others.map((other) => `.BR ${other.replaceAll('-', '\\-')} (8)`).join(',\n'),
    '',
  ].join('\n');
}

/** What README.md begins with, up to its first heading. */
function introduction(): readonly Block[] {
  const [beginning = ''] = readFileSync(new URL('README.md', root), 'utf8').split(/^## /m);
  return parseMarkdown(beginning).slice(1);
}

function blocksOf(page: TopicName): readonly Block[] {
  return parseMarkdown(readFileSync(new URL(`docs/${pageOf(page)}.md`, root), 'utf8'));
}

/** src/commands/help/pages.json: by topic, line by line, so that a change is seen as one. */
export function renderHelpPages(): string {
  const pages = topicNames.map((name) => [name, renderText(blocksOf(name), `${pageOf(name)}.md`)]);
  return `${JSON.stringify(Object.fromEntries(pages), undefined, 2)}\n`;
}
