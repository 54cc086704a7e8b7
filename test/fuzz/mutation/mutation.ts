import { readFileSync } from 'node:fs';
import { fixturePath } from '../../support/tree.ts';
import { base64Parts } from './base64-parts.ts';
import { lengthOffsets } from './der-lengths.ts';

/** A place as a fraction of what there is, from 0 to below 1, so that a mutation fits an input of any length. */
type Place = number;

/** One change to an input: JSON, so that a failure can be printed and replayed. Bytes are hex. */
export type Mutation =
  | { readonly kind: 'flip'; readonly at: Place; readonly bit: number }
  | { readonly kind: 'put'; readonly at: Place; readonly hex: string }
  | { readonly kind: 'cut'; readonly at: Place; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: Place; readonly length: number; readonly times: number }
  /** One text over and over: so much that time which grows with the square of it shows. */
  | { readonly kind: 'fill'; readonly at: Place; readonly hex: string; readonly bytes: number }
  /** A line twice: in YAML a key twice, in PEM a line of base64. */
  | { readonly kind: 'again'; readonly at: Place }
  /** Another file's content, of those in fixtures: `role/path`. */
  | { readonly kind: 'bring'; readonly at: Place; readonly from: string }
  /** Two PEM blocks change places. */
  | { readonly kind: 'swap'; readonly first: Place; readonly second: Place }
  /** The first length byte of a DER value becomes these bytes. */
  | { readonly kind: 'length'; readonly at: Place; readonly hex: string }
  /** Base64 loses its last characters, and with them its padding. */
  | { readonly kind: 'truncate'; readonly at: Place; readonly characters: number }
  /** What base64 stands for is changed, and encoded again: past the PEM into the DER, past the kubeconfig into the PEM. */
  | { readonly kind: 'inside'; readonly at: Place; readonly mutations: readonly Mutation[] }
  | {
      readonly kind: 'nest';
      readonly at: Place;
      readonly depth: number;
      readonly style: keyof typeof nestings;
    }
  /** A number becomes another text. */
  | { readonly kind: 'number'; readonly at: Place; readonly text: string }
  | { readonly kind: 'lines'; readonly end: '\r\n' | '\r' }
  | { readonly kind: 'encode'; readonly as: 'bom' | 'utf16le' | 'utf16be' };

export const nestings = {
  list: (depth) => `nested: ${'['.repeat(depth)}${']'.repeat(depth)}\n`,
  mapping: (depth) => `nested: ${'{a: '.repeat(depth)}1${'}'.repeat(depth)}\n`,
  open: (depth) => `nested: ${'['.repeat(depth)}`,
  dashes: (depth) => `nested:\n  ${'- '.repeat(depth)}1\n`,
  questions: (depth) => `${'? '.repeat(depth)}1\n`,
} satisfies Record<string, (depth: number) => string>;

export function mutate(input: Buffer, mutations: readonly Mutation[]): Buffer {
  return mutations.reduce(change, input);
}

function change(bytes: Buffer, mutation: Mutation): Buffer {
  switch (mutation.kind) {
    case 'flip': {
      const copy = Buffer.from(bytes);
      const index = placeIn(copy, mutation.at);
      if (index < copy.length) copy[index] = (copy[index] ?? 0) ^ (1 << mutation.bit);
      return copy;
    }
    case 'put':
      return replace(bytes, placeIn(bytes, mutation.at), 0, Buffer.from(mutation.hex, 'hex'));
    case 'cut':
      return replace(bytes, placeIn(bytes, mutation.at), mutation.length, Buffer.alloc(0));
    case 'repeat': {
      const index = placeIn(bytes, mutation.at);
      const part = bytes.subarray(index, index + mutation.length);
      const parts = Array.from({ length: mutation.times }, () => part);
      return replace(bytes, index, 0, Buffer.concat(parts));
    }
    case 'fill': {
      const filling = Buffer.alloc(mutation.bytes, mutation.hex, 'hex');
      return replace(bytes, lineAt(bytes, mutation.at).start, 0, filling);
    }
    case 'again': {
      const { start, end } = lineAt(bytes, mutation.at);
      return replace(bytes, start, 0, bytes.subarray(start, end));
    }
    case 'bring':
      return replace(
        bytes,
        lineAt(bytes, mutation.at).start,
        0,
        readFileSync(fixturePath('', mutation.from)),
      );
    case 'swap':
      return swapBlocks(bytes, mutation.first, mutation.second);
    case 'length': {
      const offset = pick(lengthOffsets(bytes), mutation.at);
      return offset === undefined ? bytes : replace(bytes, offset, 1, Buffer.from(mutation.hex, 'hex'));
    }
    case 'truncate': {
      const part = pick(base64Parts(bytes), mutation.at);
      if (part === undefined) return bytes;
      const left = part.text.trimEnd().slice(0, -mutation.characters);
      return replace(bytes, part.index, part.text.trimEnd().length, Buffer.from(left));
    }
    case 'inside': {
      const part = pick(base64Parts(bytes), mutation.at);
      if (part === undefined) return bytes;
      const inner = mutate(Buffer.from(part.text, 'base64'), mutation.mutations);
      return replace(bytes, part.index, part.text.length, Buffer.from(part.encode(inner)));
    }
    case 'nest': {
      const { start } = lineAt(bytes, mutation.at);
      return replace(bytes, start, 0, Buffer.from(nestings[mutation.style](mutation.depth)));
    }
    case 'number': {
      const number = pick([...bytes.toString('latin1').matchAll(/\d+/g)], mutation.at);
      if (number === undefined) return bytes;
      return replace(bytes, number.index, number[0].length, Buffer.from(mutation.text));
    }
    case 'lines':
      return Buffer.from(bytes.toString('latin1').replaceAll(/\r?\n/g, mutation.end), 'latin1');
    case 'encode':
      return encode(bytes, mutation.as);
  }
}

/**
 * In text every line is as likely as any other: a kubeconfig is a few lines that say something, and four of base64 that
 * are nearly all of its bytes.
 */
function placeIn(bytes: Buffer, at: Place): number {
  if (bytes.includes(0)) return Math.floor(at * bytes.length);
  const lines = bytes.toString('latin1').split('\n');
  const line = Math.floor(at * lines.length);
  const start = lines.slice(0, line).reduce((sum, { length }) => sum + length + 1, 0);
  const length = (lines[line]?.length ?? 0) + 1;
  return Math.min(bytes.length, start + Math.floor((at * lines.length - line) * length));
}

function pick<T>(candidates: readonly T[], at: Place): T | undefined {
  return candidates[Math.min(candidates.length - 1, Math.floor(at * candidates.length))];
}

function replace(bytes: Buffer, start: number, length: number, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(start + length)]);
}

/** The line that a place is in, with its line end. */
function lineAt(bytes: Buffer, at: Place): { start: number; end: number } {
  const index = placeIn(bytes, at);
  const start = bytes.subarray(0, index).lastIndexOf('\n') + 1;
  const next = bytes.indexOf('\n', index);
  return { start, end: next < 0 ? bytes.length : next + 1 };
}

function swapBlocks(bytes: Buffer, first: Place, second: Place): Buffer {
  const text = bytes.toString('latin1');
  const blocks = [...text.matchAll(/-----BEGIN [^-]*-----[^]*?-----END [^-]*-----\n?/g)];
  const [a, b] = [pick(blocks, Math.min(first, second)), pick(blocks, Math.max(first, second))];
  if (a === undefined || b === undefined || a === b) return bytes;
  const between = text.slice(a.index + a[0].length, b.index);
  return Buffer.from(
    text.slice(0, a.index) + b[0] + between + a[0] + text.slice(b.index + b[0].length),
    'latin1',
  );
}

function encode(bytes: Buffer, as: Extract<Mutation, { kind: 'encode' }>['as']): Buffer {
  const text = `\ufeff${bytes.toString('utf8')}`;
  switch (as) {
    case 'bom':
      return Buffer.from(text);
    case 'utf16le':
      return Buffer.from(text, 'utf16le');
    case 'utf16be':
      return Buffer.from(text, 'utf16le').swap16();
  }
}
