import * as z from 'zod';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import type { Received, Unread } from '../operations/gathered/gather.ts';
import { printable } from '../render/printable.ts';
import { jsonTexts } from './json-texts.ts';

/** What one document says of its nodes, each of which it may name. */
export type Said<Body> = Pick<Received<Body>, 'node' | 'time' | 'lack' | 'body'>;

/** The documents that a command reads: those that it prints itself with `-o json`. */
export interface Format<Body> {
  /** How a document is printed that tells enough. */
  readonly printedBy: string;
  /** By their kind. */
  readonly kinds: Readonly<Record<string, Kind<Body>>>;
}

interface Kind<Body> {
  readonly apiVersion: string;
  readonly schema: z.ZodType<readonly Said<Body>[]>;
}

/** Which command reads a kind, for what was given to the other. */
const readers: Readonly<Record<string, string>> = {
  CertificateExpirationInfo: 'kubepki certs check-expiration --from',
  CertificateExpirationInfoList: 'kubepki certs check-expiration --from',
  NodeVerification: 'kubepki verify --from',
  NodeVerificationList: 'kubepki verify --from',
  CaStatus: 'kubepki ca rotate --from',
};

/** More nodes than a cluster of Kubernetes may have. */
export const mostDocuments = 10_000;

/** What there is to read in one place. */
export interface Source {
  /** The file's name, or what stands for it. */
  readonly name: string;
  /** How a command line names it. */
  readonly given: string;
  readonly text: string;
}

/**
 * All documents of a text. It is a stranger's: what is no document is an error of its own, and the others are read.
 * @param room how many more there may be
 */
export function readPrinted<Body>(
  { name, given, text }: Source,
  format: Format<Body>,
  room: number,
): { readonly received: readonly Received<Body>[]; readonly unread: readonly Unread[] } {
  const received: Received<Body>[] = [];
  const unread: Unread[] = [];
  let place = 0;
  for (const one of jsonTexts(text)) {
    place += 1;
    const source = place === 1 ? name : `${name} (document ${String(place)})`;
    const left = room - received.length - unread.length;
    if (left <= 0) {
      unread.push({ source, error: tooMany(source) });
      break;
    }
    try {
      if (one.status === 'bad') throw one.error;
      const said = saidIn(one.value, format, given);
      received.push(...said.slice(0, left).map((each) => withSource(each, source, format)));
      if (said.length > left) {
        unread.push({ source, error: tooMany(source) });
        break;
      }
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      unread.push({ source, error: withHint(error, format).about(source) });
    }
  }
  return { received, unread };
}

function tooMany(file: string): KubepkiError {
  return new KubepkiError('too-large', `there are more than ${String(mostDocuments)} documents`, { file });
}

function withSource<Body>(
  { lack, ...said }: Said<Body>,
  source: string,
  format: Format<Body>,
): Received<Body> {
  return { ...said, source, lack: lack && withHint(lack, format).about(source) };
}

function withHint(error: KubepkiError, { printedBy }: Pick<Format<never>, 'printedBy'>): KubepkiError {
  if (error.hint !== undefined) return error;
  return new KubepkiError(error.code, error.message, { hint: `have it printed again: ${printedBy}` });
}

const headed = z.object({ kind: z.string(), apiVersion: z.string() });

function saidIn<Body>(value: object, format: Format<Body>, given: string): readonly Said<Body>[] {
  const head = headed.safeParse(value);
  if (!head.success) throw notOurs(format, ', as it has no kind and apiVersion');
  const { kind, apiVersion } = head.data;
  const known = Object.hasOwn(format.kinds, kind) ? format.kinds[kind] : undefined;
  if (known === undefined) {
    const reader = Object.hasOwn(readers, kind) ? readers[kind] : undefined;
    if (reader === undefined) throw notOurs(format, `: its kind is ${shown(kind)}`);
    const hint = `${reader} ${shellWord(given)}`;
    throw new KubepkiError('bad-document', `is a ${kind}, and "${reader}" reads such`, { hint });
  }
  if (apiVersion !== known.apiVersion) {
    const message = `has the apiVersion ${shown(apiVersion)}, and this version of kubepki reads ${known.apiVersion}`;
    throw new KubepkiError('bad-document', message);
  }
  const found = known.schema.safeParse(value);
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  const path = issue?.path.join('.') ?? '';
  throw notOurs(format, path === '' ? '' : ` (${shown(path)})`);
}

function notOurs({ printedBy }: Pick<Format<never>, 'printedBy'>, why: string): KubepkiError {
  return new KubepkiError('bad-document', `is not what "${printedBy}" prints${why}`);
}

/** A stranger's word, cut. */
function shown(word: string): string {
  const text = printable(word);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
