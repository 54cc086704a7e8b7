import { Composer, Lexer, LineCounter, Parser, isScalar, visit, type Document } from 'yaml';
import { KubepkiError } from '../errors/error.ts';
import { isMergeKey, plainValue, resolveAliases, type Aliases } from './nodes.ts';

interface YamlDocument {
  readonly document: Document.Parsed;
  readonly aliases: Aliases;
  /** The document as plain values. Scalars are strings or, with the `yaml-1.1` schema, what YAML makes of them. */
  readonly value: unknown;
}

export interface YamlOptions {
  /** The code of the error for a text that cannot be used. */
  readonly code: 'bad-kubeconfig' | 'bad-config' | 'bad-manifest';
  /** `failsafe`: every scalar stays the text it is, so a user called `123` is not a number. */
  readonly schema: 'failsafe' | 'yaml-1.1';
}

// kubeadm's own files are a few KiB. The parser's time grows with the square of some texts, so that 1 MiB takes minutes.
export const maxLength = 256 * 1024;
const maxDocuments = 100;
// The composer recurses, and node itself crashes, beyond any catch, when a regular expression meets the stack's end.
const maxDepth = 100;

/**
 * Parses YAML that may have been written by an enemy: bounded in time, and never quoting the text, which may hold a key.
 * @throws KubepkiError with the given code, without a file
 */
export function parseYaml(text: string, { code, schema }: YamlOptions): YamlDocument[] {
  if (text.length > maxLength) {
    throw new KubepkiError(code, `is larger than ${String(maxLength / 1024)} KiB`);
  }
  const lines = new LineCounter();
  const documents: YamlDocument[] = [];
  try {
    const composer = new Composer({
      schema,
      lineCounter: lines,
      prettyErrors: false,
      // Checked below, in linear time.
      uniqueKeys: false,
    });
    for (const document of composer.compose(tokens(text, lines, code))) {
      const [error] = document.errors;
      if (error !== undefined) throw invalid(code, position(lines, error.pos[0]), error.code);
      requireUniqueKeys(document, lines, code);
      const aliases = resolveAliases(document, code);
      documents.push({ document, aliases, value: plainValue(document.contents, aliases, code) });
      if (documents.length > maxDocuments) throw new KubepkiError(code, 'has too many YAML documents');
    }
  } catch (cause) {
    if (cause instanceof KubepkiError) throw cause;
    // The cause is left out: the parser's messages may quote the text.
    throw new KubepkiError(code, 'is not usable YAML');
  }
  return documents;
}

// Token by token, as the parser's stack says how deep the text nests: counting brackets here would be fooled by quotes.
function* tokens(text: string, lines: LineCounter, code: YamlOptions['code']): ReturnType<Parser['parse']> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    yield* sound(parser.next(lexeme), lines, code);
    if (parser.stack.length > maxDepth) {
      throw new KubepkiError(code, 'is not usable YAML: it is nested too deeply');
    }
  }
  yield* sound(parser.end(), lines, code);
}

function* sound(
  parsed: ReturnType<Parser['parse']>,
  lines: LineCounter,
  code: YamlOptions['code'],
): ReturnType<Parser['parse']> {
  for (const token of parsed) {
    // It ends at the first error: a megabyte of closing brackets has a million.
    if (token.type === 'error') throw invalid(code, position(lines, token.offset));
    yield token;
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
        if (seen.has(name) && !isMergeKey(key)) {
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
