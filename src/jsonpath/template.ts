import { parsePath, templateError, type Path } from './path.ts';

/** A kubectl template: text outside braces as it stands, what is inside them filled in. */
export type Template = readonly TemplateNode[];

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'values'; readonly path: Path }
  | { readonly kind: 'range'; readonly path: Path; readonly body: Template };

// Quoted text may hold a brace.
const token = /(?<text>[^{]+)|\{(?<action>(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^{}"'])*)\}/y;
const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** @throws KubepkiError usage */
export function parseTemplate(text: string): Template {
  if (text === '') throw templateError('the template is empty');
  const root: TemplateNode[] = [];
  let body = root;
  const enclosing: TemplateNode[][] = [];
  for (const node of tokensOf(text)) {
    switch (node.kind) {
      case 'range': {
        const inner: TemplateNode[] = [];
        body.push({ kind: 'range', path: node.path, body: inner });
        enclosing.push(body);
        body = inner;
        break;
      }
      case 'end': {
        const outer = enclosing.pop();
        if (outer === undefined) throw templateError('{end} without {range}');
        body = outer;
        break;
      }
      case 'text':
      case 'values':
        body.push(node);
        break;
    }
  }
  if (enclosing.length > 0) throw templateError('{range} without {end}');
  return root;
}

type Token =
  | Exclude<TemplateNode, { kind: 'range' }>
  | { readonly kind: 'range'; readonly path: Path }
  | { readonly kind: 'end' };

function* tokensOf(text: string): Generator<Token> {
  token.lastIndex = 0;
  for (let position = 0; position < text.length; position = token.lastIndex) {
    token.lastIndex = position;
    const groups = token.exec(text)?.groups;
    if (groups === undefined)
      throw templateError(`a brace is not closed: ${text.slice(position, position + 30)}`);
    const { text: literal, action } = groups;
    yield literal === undefined ? parseAction((action ?? '').trim()) : { kind: 'text', text: literal };
  }
}

function parseAction(action: string): Token {
  // All of it, as with `@`.
  if (action === '') return { kind: 'values', path: [] };
  if (action === 'end') return { kind: 'end' };
  const range = /^range\s+(?<path>.+)$/s.exec(action)?.groups?.['path'];
  if (range !== undefined) return { kind: 'range', path: parsePath(range) };
  if (/^["']/.test(action)) return { kind: 'text', text: unquote(action) };
  if (/^(?:true|false|-?\d{1,15}(?:\.\d{1,15})?)$/.test(action)) return { kind: 'text', text: action };
  return { kind: 'values', path: parsePath(action) };
}

/** Reads one of Go's string literals, with the escapes that templates have. */
function unquote(literal: string): string {
  const quote = literal.slice(0, 1);
  const inner = new RegExp(`^${quote}((?:\\\\.|[^${quote}\\\\])*)${quote}$`, 's').exec(literal)?.[1];
  if (inner === undefined) throw templateError(`not one quoted text: ${literal}`);
  return inner.replace(/\\(?:u([0-9a-fA-F]{4})|x([0-7][0-9a-fA-F])|(.))/gs, (whole, unicode, hex, one) => {
    const code: unknown = unicode ?? hex;
    if (typeof code === 'string') return String.fromCharCode(Number.parseInt(code, 16));
    const character = String(one);
    if (`\\"'`.includes(character)) return character;
    const escaped = escapes[character];
    if (escaped === undefined) throw templateError(`no such escape: ${whole}`);
    return escaped;
  });
}
