import type { Found, Reference } from '../../operations/references/reference.ts';
import { printable, printableLines } from '../../render/printable.ts';
import { placeOf, remedyOf, restOf } from '../../render/rotation/references.ts';
import { drawRows, drawTitles, type Urgency } from './draw.ts';
import { fit, type Column, type Layout } from './fit.ts';
import { foldedText } from './folded-text.ts';
import type { Look } from './look.ts';

interface Line extends Reference {
  readonly number: number;
}

const number: Column<Line> = { title: '#', cell: (line) => String(line.number) };
const kind: Column<Line> = { title: 'KIND', cell: (line) => line.kind };
const place: Column<Line> = {
  title: 'WHERE',
  cell: (line) => printable(placeOf(line)),
  atLeast: 24,
  wraps: true,
};
const says: Column<Line> = {
  title: 'FINDING',
  cell: (line) => printable(line.says),
  atLeast: 20,
  wraps: true,
};

const layouts: readonly Layout<Line>[] = [
  [number, kind, place, says],
  [number, place, says],
];

/** What holds a CA, at a glance; then by its number what mends each. */
export function* referenceTables(found: Found, look: Look): Generator<string> {
  const lines = found.references.map((one, index): Line => ({ ...one, number: index + 1 }));
  if (lines.length > 0) {
    const columns = fit(layouts, lines, look.width);
    yield drawTitles(columns, look);
    yield* drawRows(columns, lines, look, urgencyOf);
    yield '\n';
  }
  const indent = ' '.repeat(String(lines.length).length + 2);
  for (const line of lines) {
    const [first, ...others] = remedyOf(line);
    if (first === undefined) continue;
    // A command that is to be pasted must not be cut.
    yield printableLines([
      `${String(line.number).padEnd(indent.length)}${first}`,
      ...others.map((one) => indent + one),
    ]);
  }
  const rest = restOf(found);
  if (rest.length > 0) yield `${lines.length > 0 ? '\n' : ''}${foldedText(printableLines(rest), look)}`;
}

/** What trusts both CAs has time until the old one goes. */
function urgencyOf({ held }: Line): Urgency {
  return held?.what === 'both' ? 'none' : 'soon';
}
