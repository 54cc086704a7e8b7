import { commandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import { readInventory, type Inventory } from '../inventory/inventory.ts';
import { expiration, type ExpirationResult } from '../operations/expiration.ts';
import { expiringWithin, findingsOf } from '../operations/findings.ts';
import { expirationDocument, expirationInfo } from '../render/expiration-document.ts';
import { expirationTable } from '../render/expiration-table.ts';
import { faultsText, remainingText } from '../render/findings.ts';
import { openTextfile, writeTextfile } from '../storage/textfile.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { nagiosResult } from './nagios.ts';
import { openNode, type NodeOptions } from './node-options.ts';
import type { ExpirationOutput } from './expiration-output-option.ts';
import type { Period, WithinOption } from './period-option.ts';
import type { Terminal } from './terminal.ts';
import { knownRuns, metricsText } from './textfile.ts';
import type { TextfileOption } from './textfile-option.ts';
import { noteWaiting } from './waiting.ts';

export interface CheckExpirationOptions extends NodeOptions, WithinOption, TextfileOption {
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
}

export async function checkExpiration(
  options: CheckExpirationOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const thresholds = requireCompatible(options);
  const show = await presenter(options, terminal);
  const now = options.at ?? new Date();
  const node = await openNode(options, terminal);
  const { layout, config } = node;
  noteWaiting(node, terminal);
  const textfile = options.textfile === undefined ? undefined : openTextfile(layout.root, options.textfile);
  const inventory = readInventory(layout, config?.etcd ?? 'stacked');
  const result = expiration(inventory, now, commandLine(node.flags));
  const runs = textfile && knownRuns(textfile);
  // Before the result is shown: a plugin says one line, and that must be the last word.
  if (textfile !== undefined) writeTextfile(textfile, metricsText(inventory, result, now, runs));
  if (options.output.kind === 'nagios') {
    const { text, code } = nagiosResult(result, thresholds);
    terminal.result(text);
    return code;
  }
  terminal.result(
    options.output.kind === 'prometheus'
      ? metricsText(inventory, result, now, runs)
      : show({ ...result, inventory, now }),
  );
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

/** A template is read first: one that is wrong fails on any node. */
async function presenter(
  { output, allowMissingTemplateKeys: allowMissing }: CheckExpirationOptions,
  terminal: Terminal,
): Promise<(found: Found) => string> {
  if (output.kind === 'json' || output.kind === 'yaml') {
    const { kind } = output;
    return ({ report }) => expirationDocument(report, kind);
  }
  if (output.kind !== 'jsonpath') {
    return ({ report }) => expirationTable(report, { colour: terminal.stdoutColour });
  }
  const [{ parseTemplate }, { evaluateTemplate }] = await Promise.all([
    import('../jsonpath/template.ts'),
    import('../jsonpath/evaluate.ts'),
  ]);
  const template = parseTemplate(output.template);
  return ({ report }) => evaluateTemplate(template, expirationInfo(report), { allowMissing });
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
