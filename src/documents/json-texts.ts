import { KubepkiError } from '../errors/error.ts';

/** One of the documents of a text, or what is no document. */
export type JsonText =
  | { readonly status: 'json'; readonly value: object }
  | { readonly status: 'bad'; readonly error: KubepkiError };

/** No document of kubepki's is nested so deep. */
const deepest = 32;

/**
 * The JSON objects of a text, one after the other, as a loop over nodes prints them. What is none, or ends too early, is one
 * that is bad, up to the next line that begins with a brace: what was printed behind it is still read.
 */
export function* jsonTexts(text: string): Generator<JsonText> {
  // What some editors put in front.
  let at = afterSpace(text, text.startsWith('\uFEFF') ? 1 : 0);
  if (at === text.length) yield bad('is empty: nothing was printed');
  while (at < text.length) {
    const end = text[at] === '{' ? endOf(text, at) : 'none';
    const found = typeof end === 'number' ? parsed(text.slice(at, end)) : undefined;
    if (typeof end === 'number' && found !== undefined) {
      yield found;
      at = afterSpace(text, end);
      continue;
    }
    yield bad(whyBad[typeof end === 'number' ? 'none' : end]);
    const next = text.indexOf('\n{', at);
    at = next < 0 ? text.length : next + 1;
  }
}

const whyBad = {
  none: 'is not JSON',
  early: 'is not JSON: it ends too early',
  deep: `is not what kubepki prints: it is nested more than ${String(deepest)} deep`,
} as const;

function bad(message: string): JsonText {
  return { status: 'bad', error: new KubepkiError('bad-document', message) };
}

function parsed(text: string): JsonText | undefined {
  try {
    return { status: 'json', value: JSON.parse(text) as object };
  } catch {
    return undefined;
  }
}

function afterSpace(text: string, from: number): number {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? '-')) at += 1;
  return at;
}

/** Behind the brace that closes the one at `start`. Whether what is between them is JSON, its parser says. */
function endOf(text: string, start: number): number | keyof typeof whyBad {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const one = text[at];
    if (one === '"') {
      at = endOfString(text, at);
    } else if (one === '{' || one === '[') {
      depth += 1;
      if (depth > deepest) return 'deep';
    } else if (one === '}' || one === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return 'early';
}

/** Where the string ends that begins there: at its quote, or where no string can go on. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const one = text[at];
    if (one === '\\') at += 1;
    else if (one === '"' || one === '\n') return at;
  }
  return text.length;
}
