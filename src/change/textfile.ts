import type { KubeadmConfig } from '../config/kubeadm-config.ts';
import { KubepkiError } from '../errors/error.ts';
import { monitored } from '../operations/expiration/monitored.ts';
import {
  nodeMetrics,
  parseRenewRuns,
  prometheusTexts,
  type NodeMetrics,
  type RenewRuns,
} from '../render/expiration/prometheus.ts';
import { openTextfile, writeTextfile, type Textfile } from '../storage/public-file.ts';
import { examine, type Examined } from '../node/examine.ts';
import { exitCodeOf, exitCodes, type ExitCode } from '../terminal/exit-code.ts';
import { openNode, readConfiguration, type Node, type NodeOptions } from '../node/node-options.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { Typed } from '../flags/table.ts';

/** @param node undefined: there is but one */
export function metricsOf({ report, problems, subject, additional }: Examined, node?: string): NodeMetrics {
  return nodeMetrics(node, monitored(subject, report, additional), problems.length);
}

/** Of a node of which nothing can be looked at. */
export function unreadableNode(node?: string): NodeMetrics {
  return nodeMetrics(node, [], 1);
}

/** What the file that is there says of `renew`. */
export function knownRuns({ end }: Textfile): RenewRuns {
  return parseRenewRuns(end ?? '');
}

/**
 * Runs a renewal and then says in the metrics what came of it and what the certificates are now: also when nothing was due,
 * and also when it failed, unless the command line or the node itself was to blame.
 * @throws what the renewal throws, and KubepkiError before it when the file could not be written there
 */
export async function recordingRun(
  options: NodeOptions & Required<Typed<'textfile'>> & { readonly dryRun?: boolean },
  cluster: KubeadmConfig | undefined,
  terminal: Terminal,
  run: () => Promise<ExitCode>,
): Promise<ExitCode> {
  const node = openNode(options, await readConfiguration(options, withoutWarnings(terminal), cluster));
  const textfile = openTextfile(node.layout.root, options.textfile);
  try {
    const code = await run();
    // A signal that had to wait for the end of the change, or of its hook, decides what this process ends with.
    return record(node, textfile, (await terminal.interruptions.duringHold()) ?? code, terminal);
  } catch (error) {
    if (!(error instanceof KubepkiError) || error.code !== 'usage') {
      record(
        node,
        textfile,
        error instanceof KubepkiError ? exitCodeOf(error.code) : exitCodes.error,
        terminal,
      );
    }
    throw error;
  }
}

/** @returns the exit code of all of it: that the metrics could not be written is not passed over */
function record(node: Node, textfile: Textfile, code: ExitCode, terminal: Terminal): ExitCode {
  const now = new Date();
  const seconds = Math.floor(now.getTime() / 1000);
  try {
    const metrics = metricsNow(node, now);
    const lastSuccess = code === exitCodes.done ? seconds : knownRuns(textfile).lastSuccess;
    const runs = { lastRun: seconds, lastSuccess, lastExitCode: code };
    writeTextfile(textfile, prometheusTexts([metrics], runs));
    return code;
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    terminal.error(error);
    if (terminal.interruptions.wasChanged()) return exitCodes.changedButNotFinished;
    return code === exitCodes.done ? exitCodes.error : code;
  }
}

/** The run itself has said why nothing of the node can be looked at. */
function metricsNow(node: Node, now: Date): NodeMetrics {
  try {
    return metricsOf(examine(node, {}, now));
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return unreadableNode();
  }
}

/** The run itself says what there is to say of the configuration. */
function withoutWarnings(terminal: Terminal): Terminal {
  return { ...terminal, warning: () => undefined };
}
