import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { KubepkiError } from '../../errors/error.ts';
import { FileSystemRoot } from '../../filesystem/root.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { openNode, workingDirectory, readConfiguration } from '../../node/node-options.ts';
import { examineNode } from './examine-node.ts';
import { metricsOfTrees, type ExaminedTree, treesForms } from './present-trees.ts';
import { judgeTrees, ofNode } from './judge-trees.ts';
import { showExpiration, warnOfRows, worseOf } from './show-expiration.ts';
import { presenter, type ExpirationOptions } from './present-expiration.ts';
import { warnOfFindings, type Terminal } from '../../terminal/terminal.ts';
import { noteWaiting } from '../../node/waiting.ts';
import { openMetrics } from './open-metrics.ts';

/**
 * `check-expiration` of several trees: each goes the same way as one alone, and of each only what is shown is kept.
 * @param directories as typed, none twice
 */
export async function checkTrees(
  directories: readonly string[],
  options: ExpirationOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  // Each tree is another cluster's, perhaps, and its admin.conf of no use here: a thousand times three seconds.
  if (options.kubeconfig !== undefined) {
    throw new KubepkiError('usage', '--kubeconfig does not go with several trees', {
      hint: 'check that node alone to ask its cluster',
    });
  }
  if (options.endpoint !== undefined) {
    throw new KubepkiError('usage', '--endpoint does not go with several trees', {
      hint: 'what is served can be asked of this machine only: check it alone',
    });
  }
  // What was read of one tree is garbage when the next is read. Left to itself, V8 lets that of many pile up.
  setFlagsFromString('--optimize-for-size');
  const present = await presenter(options, terminal, treesForms);
  const now = options.at ?? new Date();
  const { textfile, output } = options;
  // Of this machine: which of the trees should have it?
  const own = FileSystemRoot.open(undefined, workingDirectory({ ...(textfile && { config: textfile }) }));
  const metrics = await openMetrics(own, options);
  const measure =
    metrics !== undefined || output.kind === 'prometheus'
      ? await import('../../change/textfile.ts')
      : undefined;
  const told = isDocument.has(output.kind) ? await import('./told-node.ts') : undefined;
  const read: ReadTree = async (node, said) => {
    const here = { ...options, rootfs: node };
    const opened = openNode(here, await readConfiguration(here, said));
    await noteWaiting(opened, said);
    const examined = await examineNode(opened, options, now);
    const { report, problems, findings } = examined;
    return {
      ...{ node, report, problems, findings, time: now },
      told: told?.toldRows(examined),
      metrics: measure?.metricsOf(examined, node),
    };
  };
  const trees = await readAll(directories, terminal, (node, said) =>
    read(node, said).catch((error: unknown) => {
      if (!(error instanceof KubepkiError)) throw error;
      const metrics = measure?.unreadableNode(node);
      return { node, report: undefined, problems: [error], findings: [], time: now, metrics };
    }),
  );
  const unwritten = metrics?.write(metricsOfTrees(trees));
  const shown = present({ trees, runs: metrics?.runs });
  showExpiration(shown, unwritten, terminal);
  if (shown.pluginCode !== undefined) return shown.pluginCode;
  for (const problem of trees.flatMap(({ problems }) => problems)) terminal.error(problem);
  warnOfFindings(
    trees.flatMap(({ findings }) => findings),
    terminal,
  );
  const isBad = trees.some(({ problems }) => problems.length > 0);
  if (terminal.quiet && options.within === undefined && !isBad) {
    for (const { node, report } of trees) {
      if (report !== undefined) warnOfRows(report, ofNode(node, terminal));
    }
  }
  if (options.within !== undefined) return worseOf(judgeTrees(trees, options.within, terminal), unwritten);
  return isBad ? exitCodes.error : worseOf(exitCodes.done, unwritten);
}

/** They tell what the tables have no column for. */
const isDocument: ReadonlySet<string> = new Set(['json', 'yaml', 'jsonpath']);

type ReadTree = (node: string, terminal: Terminal) => Promise<ExaminedTree>;

/** One after the other, so that what is read of one is gone before the next. */
async function readAll(
  directories: readonly string[],
  terminal: Terminal,
  read: ReadTree,
): Promise<readonly ExaminedTree[]> {
  const trees: ExaminedTree[] = [];
  // Said when the line that shows how far it is has gone.
  const said: (() => void)[] = [];
  const progress = terminal.progress('reading the trees');
  try {
    for (const node of directories) {
      trees.push(await read(node, heldBack(terminal, node, said)));
      progress.update(`reading the trees: ${String(trees.length)} of ${String(directories.length)}`);
      // For the line, and for Ctrl-C.
      await setImmediate();
    }
  } finally {
    progress.end();
  }
  for (const say of said) say();
  return trees;
}

/** Of which tree it is said, as not every sentence names it. */
function heldBack(terminal: Terminal, node: string, said: (() => void)[]): Terminal {
  return {
    ...terminal,
    warning: (text) =>
      said.push(() => {
        terminal.warning(`${node}: ${text}`);
      }),
    note: (text) =>
      said.push(() => {
        terminal.note(`${node}: ${text}`);
      }),
    hint: (text) =>
      said.push(() => {
        terminal.hint(text);
      }),
  };
}
