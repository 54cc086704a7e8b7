import { expirationFormat } from '../../documents/printed-expiration.ts';
import { FileSystemRoot } from '../../filesystem/root.ts';
import type { Typed } from '../../flags/table.ts';
import { gatherDocuments, type DocumentOptions } from '../../node/gather-documents.ts';
import { workingDirectory } from '../../node/node-options.ts';
import { gatheredExpiration } from '../../operations/gathered/gathered-expiration.ts';
import { monitoredAt } from '../../operations/gathered/printed-certificate.ts';
import { nodeMetrics } from '../../render/expiration/prometheus.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { warnOfFindings, type Terminal } from '../../terminal/terminal.ts';
import { judgeTrees, ofNode } from './judge-trees.ts';
import { openMetrics } from './open-metrics.ts';
import { presenter, type ExpirationOptions } from './present-expiration.ts';
import { metricsOfTrees, treesForms, type ExaminedTree } from './present-trees.ts';
import { showExpiration, warnOfRows, worseOf } from './show-expiration.ts';

/**
 * `check-expiration` of what other nodes have printed: shown and judged as several trees are. A node of which no document counts is
 * exit 5 whatever is asked: what was well last month says nothing of today.
 */
export async function checkDocuments(
  options: ExpirationOptions & DocumentOptions & Required<Typed<'from'>>,
  terminal: Terminal,
): Promise<ExitCode> {
  const { textfile, within } = options;
  const present = await presenter(options, terminal, treesForms);
  const now = options.at ?? new Date();
  const own = FileSystemRoot.open(undefined, workingDirectory({ ...(textfile && { config: textfile }) }));
  const metrics = await openMetrics(own, options);
  const gathered = await gatherDocuments(options, expirationFormat, now, terminal);
  const trees = gathered.map((one): ExaminedTree => {
    const tree = gatheredExpiration(one, now);
    const monitored = monitoredAt(one.body?.certificates ?? [], now);
    return { ...tree, metrics: nodeMetrics(tree.node, monitored, tree.problems.length) };
  });
  const unwritten = metrics?.write(metricsOfTrees(trees));
  const shown = present({ trees, runs: metrics?.runs });
  showExpiration(shown, unwritten, terminal);
  if (shown.pluginCode !== undefined) return shown.pluginCode;
  for (const tree of trees) tell(tree, terminal);
  const isDoubtful = trees.some(({ doubt }) => doubt !== undefined);
  const isBad = trees.some(({ problems }) => problems.length > 0);
  if (terminal.quiet && within === undefined && !isBad) {
    for (const { node, report } of trees) {
      if (report !== undefined) warnOfRows(report, ofNode(node, terminal));
    }
  }
  const ok = isBad ? exitCodes.error : exitCodes.done;
  const code = within === undefined ? ok : judgeTrees(trees, within, terminal);
  return worseOf(isDoubtful ? exitCodes.expired : code, unwritten);
}

/** In that node's words, behind its name: its files are not here. */
function tell({ node, problems, findings }: ExaminedTree, terminal: Terminal): void {
  for (const problem of problems) {
    // Why a document does not count names the document.
    terminal.error(problem.file === undefined ? problem.about(node) : problem);
  }
  warnOfFindings(
    findings.map((finding) => ({ ...finding, file: `${node}: ${finding.file}` })),
    terminal,
  );
}
