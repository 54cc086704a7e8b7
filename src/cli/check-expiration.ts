import { commandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { readInventory, type Inventory } from '../inventory/inventory.ts';
import { expiration, type ExpirationResult } from '../operations/expiration.ts';
import { expiringWithin, findingsOf } from '../operations/findings.ts';
import { faultsText, remainingText } from '../render/findings.ts';
import type { RenewRuns } from '../render/prometheus.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { askCluster } from './ask-cluster.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { openNode, type NodeOptions } from './node-options.ts';
import type { ExpirationOutput } from './expiration-output-option.ts';
import type { Period, WithinOption } from './period-option.ts';
import type { Terminal } from './terminal.ts';
import type { TextfileOption } from './textfile-option.ts';
import { noteWaiting } from './waiting.ts';

export interface CheckExpirationOptions extends NodeOptions, ClusterOptions, WithinOption, TextfileOption {
  readonly output: ExpirationOutput;
  readonly allowMissingTemplateKeys: boolean;
  /** Judge as of this moment; undefined: now. */
  readonly at?: Date;
  /** With nagios alone. */
  readonly warning?: Period;
  readonly critical?: Period;
}

const dayMs = 24 * 3_600_000;

/** What one run has found out. */
interface Found extends ExpirationResult {
  readonly inventory: Inventory;
  readonly now: Date;
  /** What `--textfile` says of `renew`. */
  readonly runs: RenewRuns | undefined;
}

export async function checkExpiration(
  options: CheckExpirationOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const present = await presenter(options, terminal);
  const now = options.at ?? new Date();
  const asking = { prefix: 'check-expiration', text: options.output.kind === 'text' } as const;
  const here = await askCluster(options, asking, terminal);
  const node = await openNode(here, terminal);
  const { layout, config } = node;
  await noteWaiting(node, terminal);
  const metrics =
    options.textfile === undefined ? undefined : await openMetrics(layout.root, options.textfile);
  const inventory = readInventory(layout, config?.etcd ?? 'stacked');
  const result = expiration(inventory, now, commandLine(node.flags));
  const found = { ...result, inventory, now, runs: metrics?.runs };
  // Before the result is shown: a plugin says one line, and that must be the last word.
  metrics?.write(found);
  const { text, pluginCode } = present(found);
  terminal.result(text);
  if (pluginCode !== undefined) return pluginCode;
  for (const problem of result.problems) terminal.error(problem);
  if (options.within !== undefined) return judge(result, options.within, terminal);
  return result.problems.length > 0 ? exitCodes.error : exitCodes.done;
}

/** @throws KubepkiError usage for flags that do not go together */
function requireCompatible({ output, within, warning, critical }: CheckExpirationOptions): {
  readonly warningMs: number;
  readonly criticalMs: number;
} {
  const thresholds = {
    warningMs: warning?.milliseconds ?? 30 * dayMs,
    criticalMs: critical?.milliseconds ?? 7 * dayMs,
  };
  if (output.kind !== 'nagios') {
    const given = warning === undefined ? (critical === undefined ? undefined : '--critical') : '--warning';
    if (given !== undefined) throw new KubepkiError('usage', `${given} goes with -o nagios`);
  } else if (within !== undefined) {
    throw new KubepkiError('usage', '--within does not go with -o nagios', {
      hint: 'use --warning and --critical',
    });
  } else if (thresholds.warningMs <= thresholds.criticalMs) {
    throw new KubepkiError('usage', '--warning must be longer than --critical');
  }
  return thresholds;
}

/** What is printed; with a plugin's exit code it is the last word. */
interface Shown {
  readonly text: string;
  readonly pluginCode?: ExitCode;
}

/**
 * A template is read first: one that is wrong fails on any node. Each way of saying it is loaded only when it is asked for:
 * a renderer that is not used costs the others their start.
 */
async function presenter(
  options: CheckExpirationOptions,
  terminal: Terminal,
): Promise<(found: Found) => Shown> {
  const thresholds = requireCompatible(options);
  const { output, allowMissingTemplateKeys: allowMissing } = options;
  switch (output.kind) {
    case 'text': {
      const { expirationTable } = await import('../render/expiration-table.ts');
      return ({ report }) => ({ text: expirationTable(report, { colour: terminal.stdoutColour }) });
    }
    case 'json':
    case 'yaml': {
      const { expirationDocument } = await import('../render/expiration-document.ts');
      const { kind } = output;
      return ({ report }) => ({ text: expirationDocument(report, kind) });
    }
    case 'jsonpath': {
      const [{ parseTemplate }, { evaluateTemplate }, { expirationInfo }] = await Promise.all([
        import('../jsonpath/template.ts'),
        import('../jsonpath/evaluate.ts'),
        import('../render/expiration-document.ts'),
      ]);
      const template = parseTemplate(output.template);
      return ({ report }) => ({ text: evaluateTemplate(template, expirationInfo(report), { allowMissing }) });
    }
    case 'prometheus': {
      const { metricsText } = await import('./textfile.ts');
      return ({ inventory, now, runs, ...result }) => ({ text: metricsText(inventory, result, now, runs) });
    }
    case 'nagios': {
      const { nagiosResult } = await import('./nagios.ts');
      return (found) => {
        const { text, code } = nagiosResult(found, thresholds);
        return { text, pluginCode: code };
      };
    }
  }
}

async function openMetrics(
  root: FileSystemRoot,
  path: string,
): Promise<{ readonly runs: RenewRuns; readonly write: (found: Found) => void }> {
  const [{ knownRuns, metricsText }, { openTextfile, writeTextfile }] = await Promise.all([
    import('./textfile.ts'),
    import('../storage/textfile.ts'),
  ]);
  const textfile = openTextfile(root, path);
  const runs = knownRuns(textfile);
  return {
    runs,
    write: ({ inventory, now, ...result }) => {
      writeTextfile(textfile, metricsText(inventory, result, now, runs));
    },
  };
}

/** The reason goes to stderr, so that the mail of a cron job tells it. */
function judge({ report, problems }: ExpirationResult, within: Period, terminal: Terminal): ExitCode {
  const findings = findingsOf(report);
  const expiring = expiringWithin(findings, within.milliseconds);
  if (findings.faults.length > 0) terminal.warning(faultsText(findings.faults));
  if (expiring.length > 0) terminal.warning(`expiring within ${within.text}: ${remainingText(expiring)}`);
  if (findings.faults.length > 0 || problems.length > 0) return exitCodes.expired;
  return expiring.length > 0 ? exitCodes.expiring : exitCodes.done;
}
