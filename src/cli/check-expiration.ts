import { askCluster } from './ask-cluster.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { examine } from './examine.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { judgeExpiration } from './judge-expiration.ts';
import { openNode, type NodeOptions } from './node-options.ts';
import { expirationPresenter, type PresentOptions } from './present-expiration.ts';
import { isTerminal } from './standard-streams.ts';
import type { Terminal } from './terminal.ts';
import { openMetrics, type TextfileOption } from './textfile-option.ts';
import type { TreesOptions } from './trees-options.ts';
import { noteWaiting } from './waiting.ts';

/** All but which trees are meant. */
export interface ExpirationOptions
  extends Omit<NodeOptions, 'rootfs'>, ClusterOptions, PresentOptions, TextfileOption {
  /** Judge as of this moment; undefined: now. */
  readonly at?: Date;
}

export type CheckExpirationOptions = ExpirationOptions & TreesOptions;

/**
 * Of one tree as kubeadm has it; of several in one table, one document. `--rootfs-from` is several, whatever it names: a
 * script must know what it gets.
 */
export async function checkExpiration(
  { rootfs: given = [], rootfsFrom, ...options }: CheckExpirationOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const [rootfs, ...others] = given;
  if (rootfsFrom === undefined && others.length === 0) {
    return checkOne({ ...options, ...(rootfs !== undefined && { rootfs }) }, terminal);
  }
  const [{ checkTrees }, { readTreeList }] = await Promise.all([
    import('./check-trees.ts'),
    import('./tree-list.ts'),
  ]);
  const listed = rootfsFrom === undefined ? [] : await readTreeList(rootfsFrom);
  return checkTrees([...new Set([...given, ...listed])], options, terminal);
}

async function checkOne(options: ExpirationOptions & NodeOptions, terminal: Terminal): Promise<ExitCode> {
  const present = await expirationPresenter(options, terminal);
  const now = options.at ?? new Date();
  const asking = { prefix: 'check-expiration', text: options.output.kind === 'text' } as const;
  const here = await askCluster(options, asking, terminal);
  const node = await openNode(here, terminal);
  await noteWaiting(node, terminal);
  const metrics = await openMetrics(node.layout.root, options);
  const examined = examine(node, now);
  // Before the result is shown: a plugin says one line, and that must be the last word.
  metrics?.write([metrics.of(examined, now)]);
  const { text, pluginCode } = present({ ...examined, now, runs: metrics?.runs });
  terminal.result(text);
  if (pluginCode !== undefined) return pluginCode;
  for (const problem of examined.problems) terminal.error(problem);
  const ok = examined.problems.length > 0 ? exitCodes.error : exitCodes.done;
  const code = options.within === undefined ? ok : judgeExpiration(examined, options.within, terminal);
  // Of another moment it is no advice.
  if (asking.text && options.at === undefined && isTerminal('stderr')) {
    const { noteNextStep } = await import('./note-next-step.ts');
    noteNextStep(examined.report, node, terminal);
  }
  return code;
}
