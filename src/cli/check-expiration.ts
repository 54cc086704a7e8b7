import { commandLine } from '../errors/command-line.ts';
import { readInventory } from '../inventory/inventory.ts';
import { expiration } from '../operations/expiration.ts';
import { expirationDocument } from '../render/expiration-document.ts';
import { expirationTable } from '../render/expiration-table.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { openNode, type NodeOptions } from './node-options.ts';
import type { Terminal } from './terminal.ts';
import { noteWaiting } from './waiting.ts';

export interface CheckExpirationOptions extends NodeOptions {
  readonly output: 'text' | 'json' | 'yaml';
  /** Judge as of this moment; undefined: now. */
  readonly at?: Date;
}

export async function checkExpiration(
  options: CheckExpirationOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const now = options.at ?? new Date();
  const node = await openNode(options, terminal);
  const { layout, config } = node;
  noteWaiting(node, terminal);
  const inventory = readInventory(layout, config?.etcd ?? 'stacked');
  const { report, problems } = expiration(inventory, now, commandLine(node.flags));
  terminal.result(
    options.output === 'text'
      ? expirationTable(report, { colour: terminal.stdoutColour })
      : expirationDocument(report, options.output),
  );
  for (const problem of problems) terminal.error(problem);
  return problems.length > 0 ? exitCodes.error : exitCodes.done;
}
