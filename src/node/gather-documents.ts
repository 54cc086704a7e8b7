import { isAbsolute } from 'node:path';
import { mostDocuments, readPrinted, type Format, type Source } from '../documents/printed.ts';
import { KubepkiError } from '../errors/error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import { FileSystemRoot } from '../filesystem/root.ts';
import type { Typed } from '../flags/table.ts';
import { gather, type Gathered, type Received, type Unread } from '../operations/gathered/gather.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { filesAt } from './given-files.ts';
import { workingDirectory } from './node-options.ts';
import { readStandardInput, standardInput } from './standard-input.ts';

/** In bytes: of a node some thirty thousand are printed, and a thousand nodes may come in one stream. */
const mostBytes = 64 * 1024 * 1024;

const dayMs = 24 * 3_600_000;

export type DocumentOptions = Typed<'from' | 'expect' | 'maxAge'>;

/**
 * What other nodes have printed, one report for each of them. No other file is opened, and nothing here throws for a document that
 * cannot be used: it is a node that has sent nothing.
 * @throws KubepkiError usage
 */
export async function gatherDocuments<Body>(
  { from, expect, maxAge }: DocumentOptions & Required<Typed<'from'>>,
  format: Format<Body>,
  now: Date,
  terminal: Terminal,
): Promise<readonly Gathered<Body>[]> {
  if ([...from, ...(expect ?? [])].includes('')) {
    throw new KubepkiError('usage', 'a name of --from or --expect is empty', {
      hint: 'give files, directories or - with --from, and names of nodes with --expect',
    });
  }
  const received: Received<Body>[] = [];
  const unread: Unread[] = [];
  for (const given of new Set(from)) {
    for (const read of sourcesAt(given)) {
      const found = await read();
      if ('error' in found) {
        unread.push(found);
        continue;
      }
      const documents = readPrinted(found, format, mostDocuments - received.length - unread.length);
      received.push(...documents.received);
      unread.push(...documents.unread);
    }
  }
  const { nodes, notes } = gather(received, unread, {
    now,
    maxAgeMs: maxAge?.milliseconds ?? dayMs,
    maxAge: maxAge?.text ?? '24h',
    expected: expect,
    command: format.printedBy,
  });
  for (const note of notes) terminal.note(note);
  return nodes;
}

type Read = () => Source | Unread | Promise<Source | Unread>;

function sourcesAt(given: string): readonly Read[] {
  if (given === '-') return [async () => attempt(standardInput, readAll)];
  try {
    const root = FileSystemRoot.open(
      undefined,
      isAbsolute(given) ? '/' : workingDirectory({ config: given }),
    );
    return filesAt(root, given).map((path) => () => attempt(path, () => readDocumentFile(root, path)));
  } catch (error) {
    return [() => unreadAt(given, error)];
  }
}

async function readAll(): Promise<Source> {
  const bytes = await readStandardInput(mostBytes);
  return { name: standardInput, given: '-', text: bytes.toString('utf8') };
}

function readDocumentFile(root: FileSystemRoot, path: string): Source {
  const file = readRegularFile(root.resolve(path), path, mostBytes);
  if (file === undefined) throw new KubepkiError('not-found', 'no such file', { file: path });
  return { name: path, given: path, text: file.bytes.toString('utf8') };
}

async function attempt(source: string, read: () => Source | Promise<Source>): Promise<Source | Unread> {
  try {
    return await read();
  } catch (error) {
    return unreadAt(source, error);
  }
}

function unreadAt(source: string, error: unknown): Unread {
  if (!(error instanceof KubepkiError)) throw error;
  return { source, error: error.about(source) };
}
