import { printable } from '../../render/printable.ts';
import { requestCells, requestTitles, type ListedRequest } from '../../render/requests/signing-requests.ts';
import { drawRows, drawTitles, type Urgency } from './draw.ts';
import { fit, type Column, type Layout } from './fit.ts';
import { foldedText } from './folded-text.ts';
import type { Look } from './look.ts';

type Cells = readonly string[];

const columns = requestTitles.map((title, index): Column<Cells> => {
  const cell = (cells: Cells): string => (cells[index] ?? '').replace(/^<none>$/, '');
  switch (title) {
    case 'NAME':
      return { title, cell, atLeast: 12 };
    case 'SIGNERNAME':
      // kubernetes.io/kubelet-serving
      return { title, cell, atLeast: 29 };
    case 'REQUESTOR':
      // system:node:worker-1
      return { title, cell, atLeast: 20 };
    case 'REQUESTED NAMES':
      return { title, cell, atLeast: 24, wraps: true };
    default:
      return { title, cell };
  }
});

const without = (...titles: readonly string[]): Layout<Cells> =>
  columns.filter(({ title }) => !titles.includes(title));

const layouts: readonly Layout<Cells>[] = [
  columns,
  without('REQUESTEDDURATION'),
  without('REQUESTEDDURATION', 'SIGNERNAME', 'KEY'),
  without('REQUESTEDDURATION', 'SIGNERNAME', 'KEY', 'AGE'),
  without('REQUESTEDDURATION', 'SIGNERNAME', 'KEY', 'AGE', 'REQUESTOR'),
  without('REQUESTEDDURATION', 'SIGNERNAME', 'KEY', 'AGE', 'REQUESTOR', 'REQUESTED NAMES'),
];

/** `csr list` for a person. @param now what the ages are counted from */
export function signingRequestTables(requests: readonly ListedRequest[], now: Date, look: Look): string {
  if (requests.length === 0) return 'no signing requests\n';
  const rows = requests.map((request) => requestCells(request, now, ', ').map(printable));
  const fitted = fit(layouts, rows, look.width);
  const pending = rows.filter((cells) => conditionOf(cells) === 'Pending').length;
  const all = `${String(rows.length)} signing ${rows.length === 1 ? 'request' : 'requests'}`;
  const sum = pending === 0 ? `${all}, none pending` : `${all}, ${String(pending)} pending`;
  return [
    drawTitles(fitted, look),
    ...drawRows(fitted, rows, look, urgencyOf),
    `\n${foldedText(sum, look)}`,
  ].join('');
}

function conditionOf(cells: Cells): string {
  return cells[requestTitles.indexOf('CONDITION')] ?? '';
}

/** What waits for a decision, and what will get no certificate. */
function urgencyOf(cells: Cells): Urgency {
  const condition = conditionOf(cells);
  if (/^Denied|Failed|^<invalid>/.test(condition)) return 'now';
  return condition === 'Pending' ? 'soon' : 'none';
}
