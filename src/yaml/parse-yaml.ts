import { Composer, LineCounter, Parser, isScalar, visit, type Document } from 'yaml';
import { KubepkiError } from '../errors/error.ts';

export interface YamlDocument {
  readonly document: Document.Parsed;
  /** The same as plain values. Scalars are strings or, with the `yaml-1.1` schema, what YAML makes of them. */
  readonly value: unknown;
}

export interface YamlOptions {
  /** What a text that cannot be used is. */
  readonly code: 'bad-kubeconfig' | 'bad-config';
  /** `failsafe`: every scalar stays the text it is, so a user called `123` is not a number. */
  readonly schema: 'failsafe' | 'yaml-1.1';
}

// kubeadm's own files are a few KiB. The parser's time grows with the square of some texts, so that 1 MiB takes minutes.
const maxLength = 256 * 1024;
const maxDocuments = 100;
// The parser recurses, and node itself crashes, beyond any catch, when a regular expression meets the stack's end.
const maxFlowDepth = 100;
const maxIndentation = 256;
// yaml's measure against alias bombs ("billion laughs").
const maxAliasCount = 100;

/**
 * Parses YAML that may have been written by an enemy: bounded in time, and never quoting the text, which may hold a key.
 * @throws KubepkiError with the given code, without a file
 */
export function parseYaml(text: string, { code, schema }: YamlOptions): YamlDocument[] {
  requireBounded(text, code);
  const lines = new LineCounter();
  const documents: YamlDocument[] = [];
  try {
    const composer = new Composer({
      schema,
      lineCounter: lines,
      prettyErrors: false,
      // Checked below, in linear time.
      uniqueKeys: false,
      // Go's YAML knows merge keys (<<).
      merge: true,
    });
    for (const document of composer.compose(tokens(text, lines, code))) {
      const [error] = document.errors;
      if (error !== undefined) throw invalid(code, position(lines, error.pos[0]), error.code);
      requireUniqueKeys(document, lines, code);
      documents.push({ document, value: document.toJS({ maxAliasCount }) });
      if (documents.length > maxDocuments) throw new KubepkiError(code, 'has too many YAML documents');
    }
  } catch (cause) {
    if (cause instanceof KubepkiError) throw cause;
    const excessive = cause instanceof ReferenceError && cause.message.startsWith('Excessive alias');
    // Without the cause: the parser's messages may quote the text.
    throw new KubepkiError(
      code,
      excessive ? 'is not usable YAML: it expands its aliases too often' : 'is not usable YAML',
    );
  }
  return documents;
}

function* tokens(text: string, lines: LineCounter, code: YamlOptions['code']): ReturnType<Parser['parse']> {
  for (const token of new Parser(lines.addNewLine).parse(text)) {
    // At the first one: a megabyte of closing brackets has a million.
    if (token.type === 'error') throw invalid(code, position(lines, token.offset));
    yield token;
  }
}

function requireBounded(text: string, code: YamlOptions['code']): void {
  if (text.length > maxLength) {
    throw new KubepkiError(code, `is larger than ${String(maxLength / 1024)} KiB`);
  }
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > maxFlowDepth) throw new KubepkiError(code, 'is not usable YAML: it is nested too deeply');
  }
  for (const line of text.split('\n')) {
    const structure = /^[\s?:-]*/.exec(line)?.[0].length ?? 0;
    if (structure > maxIndentation && structure < line.length) {
      throw new KubepkiError(code, 'is not usable YAML: it is nested too deeply');
    }
  }
}

// yaml's own check compares every key with every other.
function requireUniqueKeys(document: Document.Parsed, lines: LineCounter, code: YamlOptions['code']): void {
  visit(document, {
    Map: (_key, map) => {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) throw new KubepkiError(code, 'is not usable YAML: a key is not a string');
        const name = String(key.value);
        if (seen.has(name) && name !== '<<') {
          throw invalid(code, position(lines, key.range?.[0] ?? 0), 'DUPLICATE_KEY');
        }
        seen.add(name);
      }
    },
  });
}

function position(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `line ${String(line)}, column ${String(col)}`;
}

// The parser's code (BAD_INDENT) says what is wrong without quoting anything.
function invalid(code: YamlOptions['code'], where: string, what?: string): KubepkiError {
  const reason = what === undefined ? '' : ` (${what.toLowerCase().replaceAll('_', ' ')})`;
  return new KubepkiError(code, `is not valid YAML at ${where}${reason}`);
}
