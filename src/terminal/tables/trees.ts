import type { TreeExpiration } from '../../operations/expiration/expiration.ts';
import { printable } from '../../render/printable.ts';
import { cutInMiddle } from './cell-width.ts';
import { drawRows, drawTitles } from './draw.ts';
import * as column from './expiration-columns.ts';
import type { ShownRow } from './expiration-columns.ts';
import { expirationSum } from './expiration-sum.ts';
import { fit, type Layout } from './fit.ts';
import { foldedText } from './folded-text.ts';
import type { Look } from './look.ts';

const { node, certificate, expires, expiresDay, residualTime, authority, shortAuthority } = column;
const { external, shortExternal, problem } = column;

const layouts: readonly Layout<ShownRow>[] = [
  [node, certificate, expires, residualTime, authority, external, problem],
  [node, certificate, expires, residualTime, shortAuthority, shortExternal, problem],
  [node, certificate, expires, residualTime, shortAuthority, shortExternal],
  [node, certificate, expiresDay, residualTime, shortAuthority, shortExternal],
  [node, certificate, expiresDay, residualTime, shortAuthority],
  [node, certificate, expiresDay, residualTime],
  [node, certificate, residualTime],
  // The node stands above its rows.
  [certificate, residualTime],
  [certificate, column.shortResidualTime],
];

/** The table of several trees for a person, tree by tree: of a thousand only one is text at a time. */
export function* treesTables(trees: readonly TreeExpiration[], look: Look): Generator<string> {
  const columns = fit(layouts, rowsOfAll(trees), look.width);
  const hasNodeColumn = columns.some(({ title }) => title === node.title);
  yield drawTitles(columns, look);
  for (const tree of trees) {
    if (!hasNodeColumn) yield `${cutInMiddle(printable(tree.node), look.width)}\n`;
    yield* drawRows(columns, rowsOf(tree), look, column.urgencyOf);
  }
  yield `\n${foldedText(expirationSum(rowsOfAll(trees), trees.length), look)}`;
}

function* rowsOfAll(trees: readonly TreeExpiration[]): Generator<ShownRow> {
  for (const tree of trees) yield* rowsOf(tree);
}

function rowsOf({ node, report, doubt }: TreeExpiration): ShownRow[] {
  const lost = { node, row: undefined, doubt };
  if (report === undefined) return [lost];
  const { certificates, certificateAuthorities, additional = [] } = report;
  const rows = [...certificates, ...certificateAuthorities, ...additional].map((row) => ({ node, row }));
  return doubt === undefined ? rows : [lost, ...rows];
}
