import { KubepkiError } from '../errors/error.ts';

/** One step of a path: in RFC 9535's spelling, for the library, with that about which kubectl is stricter. */
export type Step =
  /** A field that no value has is an error where the keys of a template must be there. */
  | { readonly kind: 'field'; readonly segment: string; readonly name: string }
  /** The index must be one of the array's. A negative one counts from its end. */
  | { readonly kind: 'index'; readonly segment: string; readonly index: number }
  /** The first segment of all values comes before the second of all values. RFC 9535 has both of each value. */
  | { readonly kind: 'union'; readonly segments: readonly string[] }
  | { readonly kind: 'any'; readonly segment: string };

export type Path = readonly Step[];

// A name ends where the next step, a filter's operator or the expression does; a backslash takes the meaning from that.
const name = String.raw`(?:\\.|[^\s.\[\](){}$@=!<>'"\\,*?&|])+`;
const patterns = {
  descendants: new RegExp(String.raw`\.\.(?:(?<any>\*)|(?<name>${name})|(?=\[))`, 'y'),
  field: new RegExp(String.raw`\.(?:(?<any>\*)|(?<name>${name}))`, 'y'),
  subscript: /\[(?:(?<any>\*)|(?<index>-?\d{1,9})|(?<slice>-?\d{0,9}:-?\d{0,9}(?::[1-9]\d{0,8})?))\]/y,
  indices: /\[(?<list>-?\d{1,9}(?:,-?\d{1,9})+)\]/y,
  keys: /\[(?<list>'[^'\\]*'(?:,'[^'\\]*')*)\]/y,
  filter: /\[\?\(/y,
};

/**
 * A path in kubectl's syntax: `.certificates[*].name`, `..name`, `[0]`, `[-1:]`, `['a','b']`, `[?(@.name=="x")]`, `@`, `$`.
 * There is nothing in it that could be called or computed.
 * @throws KubepkiError usage
 */
export function parsePath(text: string): Path {
  const scanner = new Scanner(text);
  const path = parseSteps(scanner);
  if (!scanner.atEnd) throw scanner.unexpected();
  return path;
}

/** Reads one thing after the other, each by a pattern that says where it ends. */
class Scanner {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#position >= this.#text.length;
  }

  take(pattern: RegExp): Readonly<Record<string, string | undefined>> | undefined {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#position = pattern.lastIndex;
    return { whole: match[0], ...match.groups };
  }

  unexpected(): KubepkiError {
    const rest = this.#text.slice(this.#position, this.#position + 20);
    const where = rest === '' ? 'ends too early' : `not understood from ${JSON.stringify(rest)} on`;
    return templateError(`the path ${JSON.stringify(this.#text)} is ${where}`.replace('is ends', 'ends'));
  }
}

export function templateError(message: string): KubepkiError {
  return new KubepkiError('usage', `-o jsonpath: ${message}`, {
    hint: 'the syntax is kubectl\'s: {range .certificates[*]}{.name}{"\\n"}{end}',
  });
}

function parseSteps(scanner: Scanner): Step[] {
  // `@` and `$` both stand for the object at hand, also inside {range}: so it is in kubectl.
  const current = scanner.take(/[@$]/y) !== undefined;
  const steps: Step[] = [];
  for (let step = parseStep(scanner); step !== undefined; step = parseStep(scanner)) steps.push(step);
  if (steps.length > 0 || current) return steps;
  if (scanner.take(/\./y) === undefined) throw scanner.unexpected();
  // For kubectl a dot alone is the field without a name, which nothing has.
  return [{ kind: 'field', segment: '[""]', name: '' }];
}

function parseStep(scanner: Scanner): Step | undefined {
  const descendants = scanner.take(patterns.descendants);
  if (descendants !== undefined) {
    const { any, name: found } = descendants;
    if (any !== undefined) return { kind: 'any', segment: '..*' };
    if (found !== undefined) {
      const wanted = unescape(found);
      return { kind: 'field', segment: `..[${quoted(wanted)}]`, name: wanted };
    }
    const below = parseStep(scanner);
    if (below === undefined) throw scanner.unexpected();
    if (below.kind === 'union') {
      return { kind: 'union', segments: below.segments.map((segment) => `..${segment}`) };
    }
    return { kind: 'any', segment: `..${below.segment}` };
  }
  const field = scanner.take(patterns.field);
  if (field !== undefined) {
    if (field['name'] === undefined) return { kind: 'any', segment: '[*]' };
    const found = unescape(field['name']);
    return { kind: 'field', segment: `[${quoted(found)}]`, name: found };
  }
  return parseSubscript(scanner);
}

function parseSubscript(scanner: Scanner): Step | undefined {
  const subscript = scanner.take(patterns.subscript);
  if (subscript !== undefined) {
    const { index, slice } = subscript;
    if (index !== undefined) return { kind: 'index', segment: `[${canonical(index)}]`, index: Number(index) };
    return { kind: 'any', segment: slice === undefined ? '[*]' : `[${sliceSegment(slice)}]` };
  }
  const indices = scanner.take(patterns.indices)?.['list'];
  if (indices !== undefined) {
    return { kind: 'union', segments: indices.split(',').map((index) => `[${canonical(index)}]`) };
  }
  const keys = scanner.take(patterns.keys)?.['list'];
  if (keys !== undefined) {
    const names = [...keys.matchAll(/'([^']*)'/g)].map(([, one = '']) => one);
    return { kind: 'union', segments: names.map((one) => `[${quoted(one)}]`) };
  }
  if (scanner.take(patterns.filter) === undefined) return undefined;
  return { kind: 'any', segment: `[?${parseCondition(scanner)}]` };
}

/** `@.name=="x"`, `100<@.residualTime`, or `@.caName` alone: is it there? */
function parseCondition(scanner: Scanner): string {
  const left = parseOperand(scanner);
  const operator = scanner.take(/\s*(?<operator>==|!=|<=|>=|<|>)/y)?.['operator'];
  const right = operator === undefined ? undefined : parseOperand(scanner);
  if (scanner.take(/\s*\)\s*\]/y) === undefined) throw scanner.unexpected();
  const paths = [left, right].flatMap((operand) => (operand?.isPath === true ? [operand.text] : []));
  // kubectl passes over what lacks a field that is compared; for RFC 9535 nothing differs from everything.
  if (right === undefined || operator === undefined) {
    if (!left.isPath) throw scanner.unexpected();
    return left.text;
  }
  return [...paths, `${left.text}${operator}${right.text}`].join('&&');
}

function parseOperand(scanner: Scanner): { readonly text: string; readonly isPath: boolean } {
  const literal = scanner.take(
    /\s*(?:"(?<double>[^"\\]*)"|'(?<single>[^'\\]*)'|(?<other>true|false|-?\d{1,15}(?:\.\d{1,15})?(?![\w.])))/y,
  );
  if (literal !== undefined) {
    const { other, double, single } = literal;
    return { text: other === undefined ? quoted(double ?? single ?? '') : numberOf(other), isPath: false };
  }
  scanner.take(/\s*/y);
  const steps = parseSteps(scanner);
  const segments = steps.map((step) => {
    // A comparison is of one value with one value.
    const segment = segmentOfOne(step);
    if (segment === undefined) throw scanner.unexpected();
    return segment;
  });
  return { text: `@${segments.join('')}`, isPath: true };
}

/** The segment of a step that leads to one value; undefined: the step may lead to several. */
function segmentOfOne(step: Step): string | undefined {
  switch (step.kind) {
    case 'any':
      return undefined;
    case 'union':
      return step.segments.length === 1 ? step.segments[0] : undefined;
    case 'field':
    case 'index':
      return step.segment.startsWith('..') ? undefined : step.segment;
  }
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

/** A string as RFC 9535 has it. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** RFC 9535 knows no leading zeros and no `-0`. */
function canonical(index: string): string {
  return String(Number(index) + 0);
}

function numberOf(text: string): string {
  return /^[-\d]/.test(text) ? String(Number(text) + 0) : text;
}

function sliceSegment(slice: string): string {
  return slice
    .split(':')
    .map((bound) => (/\d/.test(bound) ? canonical(bound) : ''))
    .join(':');
}
