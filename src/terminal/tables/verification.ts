import type { ExpirationRow } from '../../operations/expiration/expiration-report.ts';
import type { CheckStatus, NodeVerification } from '../../operations/verification/verification.ts';
import { humanDuration } from '../../render/times.ts';
import { printable } from '../../render/printable.ts';
import { verificationSummary } from '../../render/verification/summary.ts';
import { drawRows, drawTitles, type Urgency } from './draw.ts';
import { fit, type Column, type Layout } from './fit.ts';
import { foldedText } from './folded-text.ts';
import type { Look } from './look.ts';

const marks: Readonly<Record<CheckStatus, string>> = {
  error: '✗',
  unchecked: '?',
  warning: '!',
  note: '·',
  passed: '✓',
  none: '-',
  'not-asked': '-',
};

interface Line {
  readonly status: CheckStatus;
  readonly check: string;
  readonly said: string;
}

const mark: Column<Line> = { title: ' ', cell: ({ status }) => marks[status] };
const check: Column<Line> = { title: 'CHECK', cell: (line) => line.check };
const said: Column<Line> = {
  title: 'RESULT',
  cell: (line) => printable(line.said),
  atLeast: 40,
  wraps: true,
};

const layouts: readonly Layout<Line>[] = [
  [mark, check, said],
  [mark, said],
];

/** All checks of each node, when its certificates end, and what is to be done; the worst is said last, where a person looks. */
export function* verificationTables(nodes: readonly NodeVerification[], look: Look): Generator<string> {
  const lines = nodes.map(({ results, error }) => [
    ...(error === undefined ? [] : [{ status: 'error', check: 'node', said: error.oneLine } as const]),
    // What this node does not have fills a screen with nothing.
    ...results
      .filter(({ isJudged }) => isJudged)
      .flatMap(({ id, title, status, looked, troubles }): Line[] => {
        if (troubles.length === 0) return [{ status, check: id, said: `${title} (${String(looked)})` }];
        return troubles.map(({ grade, file, message }) => ({
          status: grade,
          check: id,
          said: `${file}: ${message}`,
        }));
      }),
  ]);
  const columns = fit(layouts, lines.flat(), look.width);
  for (const [index, node] of nodes.entries()) {
    if (node.node !== '')
      yield `${index === 0 ? '' : '\n'}${foldedText(printable(`node ${node.node}`), look)}`;
    yield drawTitles(columns, look);
    yield* drawRows(columns, lines[index] ?? [], look, urgencyOf);
    if (node.rows.length > 0) {
      yield '\n';
      yield* timeline(node.rows, look);
    }
    // A command that is to be pasted must not be cut.
    yield `\n${verificationSummary([node])}`;
  }
}

function urgencyOf({ status }: Line): Urgency {
  if (status === 'error') return 'now';
  return status === 'warning' || status === 'unchecked' ? 'soon' : 'none';
}

interface End {
  readonly name: string;
  readonly left: string;
  readonly bar: string;
  readonly urgency: Urgency;
}

const longestBar = 60;
const soonMs = 30 * 24 * 3600 * 1000;

/** A bar for each certificate from now to its end, as long as the time that is left; the longest is a year, or what the longest leaf has. */
function* timeline(rows: readonly ExpirationRow[], look: Look): Generator<string> {
  const present = rows.flatMap((row) => (row.status === 'present' ? [row] : []));
  const names = Math.max(...rows.map(({ name }) => name.length), 'CERTIFICATE'.length);
  const room = Math.min(longestBar, look.width - names - 'ENDS IN'.length - 8);
  if (room < 20) return;
  const leaves = present.filter(({ caName }) => caName !== undefined);
  const scaleMs = Math.max(1, ...leaves.map(({ residualMs }) => residualMs));
  const ends = present
    .sort((a, b) => a.residualMs - b.residualMs)
    .map(({ name, residualMs }): End => {
      const hasEnded = residualMs < 0;
      const length = hasEnded ? 0 : Math.max(1, Math.round((residualMs / scaleMs) * room));
      return {
        name,
        left: hasEnded ? `${humanDuration(-residualMs)} ago` : humanDuration(residualMs),
        bar: hasEnded ? '✗' : length > room ? `${'█'.repeat(room - 1)}▶` : '█'.repeat(length),
        urgency: hasEnded ? 'now' : residualMs <= soonMs ? 'soon' : 'none',
      };
    });
  const columns = fit<End>(
    [
      [
        { title: 'CERTIFICATE', cell: ({ name }) => name },
        { title: 'ENDS IN', cell: ({ left }) => left },
        { title: 'FROM NOW', cell: ({ bar }) => bar },
      ],
    ],
    ends,
    look.width,
  );
  yield drawTitles(columns, look);
  yield* drawRows(columns, ends, look, ({ urgency }) => urgency);
}
