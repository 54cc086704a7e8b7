import { maxLength, parseYaml, type YamlOptions } from './parse-yaml.ts';

/**
 * The first document of a text as plain values, in which every scalar is a string.
 * @throws KubepkiError with the given code, without a file
 */
export function readYaml(text: string, code: YamlOptions['code']): unknown {
  return readPlainYaml(text) ?? parseYaml(text, { code, schema: 'failsafe' })[0]?.value;
}

interface Line {
  readonly indent: number;
  /** Without its indent. */
  readonly text: string;
}

export type PlainValue = string | readonly PlainValue[] | PlainMapping;
export interface PlainMapping {
  readonly [key: string]: PlainValue;
}

// YAML's own bound for a key is 1024 characters.
const key = /^([A-Za-z][\w./-]{0,500}):(?: (.+))?$/;
/** To YAML it is text, up to the end of the line: no indicator before it, no comment or colon in it. */
const word = /^(?:--?)?[A-Za-z0-9/_](?:[^#]*[^#: ])?$/;
const quoted = /^"([^"\\]*)"$|^'([^']*)'$/;
const maxDepth = 50;

/**
 * A mapping in the form in which Go's libraries write it, and so kubeadm its manifests and the kubelet's configuration: block
 * style, each scalar in its line, lists not indented. Any reader of YAML reads it alike, and for most nodes the parser, which would
 * take longer than all the rest of `verify`, need not even be loaded.
 * @returns undefined for any other text, right or wrong
 */
export function readPlainYaml(text: string): PlainMapping | undefined {
  if (text.length > maxLength || !/^[ -~\n]*\n$/.test(text)) return undefined;
  const lines = text
    .slice(0, -1)
    .split('\n')
    .map((line): Line => {
      const trimmed = line.trimStart();
      return { indent: line.length - trimmed.length, text: trimmed };
    });
  const reader = new PlainReader(lines);
  const value = reader.mapping(0, 0);
  return reader.isAtEnd ? value : undefined;
}

/** Goes over the lines once. What is not plain ends it before the last of them. */
class PlainReader {
  readonly #lines: readonly Line[];
  #next = 0;

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  get isAtEnd(): boolean {
    return this.#next === this.#lines.length;
  }

  /** @param first a line that has begun behind a dash */
  mapping(indent: number, depth: number, first?: string): PlainMapping | undefined {
    const found = new Map<string, PlainValue>();
    for (let text = first ?? this.#textAt(indent); text !== undefined; text = this.#textAt(indent)) {
      const [, name, scalar] = key.exec(text) ?? [];
      if (name === undefined || found.has(name)) return undefined;
      this.#next += 1;
      const value = scalar === undefined ? this.#block(indent, depth + 1) : scalarIn(scalar);
      if (value === undefined) return undefined;
      found.set(name, value);
    }
    return found.size === 0 ? undefined : Object.fromEntries(found);
  }

  /** What stands below a key: a mapping that is indented, or a list, which may be not. */
  #block(indent: number, depth: number): PlainValue | undefined {
    const line = this.#lines[this.#next];
    if (line === undefined || depth > maxDepth) return undefined;
    if (line.text.startsWith('- ')) return line.indent < indent ? undefined : this.#list(line.indent, depth);
    return line.indent > indent ? this.mapping(line.indent, depth) : undefined;
  }

  #list(indent: number, depth: number): PlainValue | undefined {
    const items: PlainValue[] = [];
    for (let text = this.#textAt(indent); text?.startsWith('- ') === true; text = this.#textAt(indent)) {
      const rest = text.slice(2);
      const value = key.test(rest) ? this.mapping(indent + 2, depth + 1, rest) : this.#scalarItem(rest);
      if (value === undefined) return undefined;
      items.push(value);
    }
    return items;
  }

  #scalarItem(text: string): PlainValue | undefined {
    this.#next += 1;
    return scalarIn(text);
  }

  #textAt(indent: number): string | undefined {
    const line = this.#lines[this.#next];
    return line?.indent === indent ? line.text : undefined;
  }
}

export function isPlainMapping(value: PlainValue | undefined): value is PlainMapping {
  return typeof value === 'object' && !Array.isArray(value);
}

function scalarIn(text: string): PlainValue | undefined {
  if (text === '{}') return {};
  if (text === '[]') return [];
  if (word.test(text)) return text.includes(': ') ? undefined : text;
  const [, double, single] = quoted.exec(text) ?? [];
  return double ?? single;
}
