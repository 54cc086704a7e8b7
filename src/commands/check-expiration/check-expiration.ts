import type { KubeadmConfig } from '../../config/kubeadm-config.ts';
import { askCluster } from '../../node/ask-cluster.ts';
import type { DocumentOptions } from '../../node/gather-documents.ts';
import type { Examined, ExamineOptions } from '../../node/examine.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { KubepkiError } from '../../errors/error.ts';
import {
  openNode,
  openRoot,
  readConfiguration,
  type Node,
  type NodeOptions,
} from '../../node/node-options.ts';
import { examineNode } from './examine-node.ts';
import { nodeForms, presenter, type ExpirationOptions } from './present-expiration.ts';
import { judgeExpiration, showExpiration, warnOfRows, worseOf } from './show-expiration.ts';
import { warnOfFindings, type Terminal } from '../../terminal/terminal.ts';
import type { Typed } from '../../flags/table.ts';
import { noteWaiting } from '../../node/waiting.ts';
import { openMetrics } from './open-metrics.ts';

/** Of which trees. */
export type CheckExpirationOptions = ExpirationOptions &
  Typed<'rootfsFrom'> &
  DocumentOptions & { readonly rootfs?: readonly string[] };

/**
 * Of one tree as kubeadm has it; of several in one table, one document. `--rootfs-from` is several, whatever it names: a
 * script must know what it gets.
 */
export async function checkExpiration(
  { rootfs: given = [], rootfsFrom, ...options }: CheckExpirationOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (isOfDocuments(options)) {
    const { checkDocuments } = await import('./check-documents.ts');
    return checkDocuments(options, terminal);
  }
  const [rootfs, ...others] = given;
  if (rootfsFrom === undefined && others.length === 0) {
    return checkOne({ ...options, ...(rootfs !== undefined && { rootfs }) }, terminal);
  }
  const [{ checkTrees }, { readTreeList }] = await Promise.all([
    import('./check-trees.ts'),
    import('../../node/tree-list.ts'),
  ]);
  const listed = rootfsFrom === undefined ? [] : await readTreeList(rootfsFrom);
  return checkTrees([...new Set([...given, ...listed])], options, terminal);
}

function isOfDocuments<Options extends DocumentOptions>(
  options: Options,
): options is Options & Required<Typed<'from'>> {
  return options.from !== undefined;
}

async function checkOne(options: ExpirationOptions & NodeOptions, terminal: Terminal): Promise<ExitCode> {
  const present = await presenter(options, terminal, nodeForms);
  const now = options.at ?? new Date();
  const asking = { prefix: 'check-expiration', text: options.output.kind === 'text' } as const;
  const cluster = await askCluster(options, asking, terminal);
  const metrics = await openMetrics(openRoot(options), options);
  const { node, examined } = await examineOne(options, cluster, now, terminal).catch((error: unknown) => {
    // What the file said of this node before must not stand: nothing is known of it now.
    if (error instanceof KubepkiError) metrics?.write([metrics.ofUnreadable()]);
    throw error;
  });
  const unwritten = metrics?.write([metrics.of(examined)]);
  const shown = present({ ...examined, runs: metrics?.runs });
  showExpiration(shown, unwritten, terminal);
  if (shown.pluginCode !== undefined) return shown.pluginCode;
  for (const problem of examined.problems) terminal.error(problem);
  warnOfFindings(examined.findings, terminal);
  // Its exit code is kubeadm's, and the rows that tell it are not shown.
  if (terminal.quiet && options.within === undefined && examined.problems.length === 0)
    warnOfRows(examined.report, terminal);
  const ok = examined.problems.length > 0 ? exitCodes.error : exitCodes.done;
  const code = options.within === undefined ? ok : judgeExpiration(examined, options.within, terminal);
  // Of another moment it is no advice.
  if (asking.text && options.at === undefined && terminal.isRead) {
    const { noteNextStep } = await import('./note-next-step.ts');
    noteNextStep(examined.report, examined.subject, node, terminal);
  }
  return worseOf(code, unwritten);
}

/** @throws KubepkiError where nothing of the node can be looked at */
async function examineOne(
  options: NodeOptions & ExamineOptions,
  cluster: KubeadmConfig | undefined,
  now: Date,
  terminal: Terminal,
): Promise<{ readonly node: Node; readonly examined: Examined }> {
  const node = openNode(options, await readConfiguration(options, terminal, cluster));
  await noteWaiting(node, terminal);
  return { node, examined: await examineNode(node, options, now) };
}
