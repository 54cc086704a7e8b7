import type { Typed } from '../../flags/table.ts';
import type { MeasureOptions } from '../../node/rotation/measure-cluster.ts';
import { measureRotation } from '../../node/rotation/measure-rotation.ts';
import { openNode, readConfiguration, type NodeOptions } from '../../node/node-options.ts';
import { readRotation } from '../../node/rotation/rotation.ts';
import { statusDocument } from '../../render/rotation/status-document.ts';
import { statusLines } from '../../render/rotation/status.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export interface StatusOptions extends NodeOptions, MeasureOptions, Typed<'output'> {}

export async function showStatus(options: StatusOptions, terminal: Terminal): Promise<ExitCode> {
  const node = openNode(options, await readConfiguration(options, terminal));
  const status = await measureRotation(node, readRotation(node), options, new Date(), terminal);
  const { output } = options;
  terminal.result(output === 'text' ? statusLines(status) : statusDocument(status, output));
  return exitCodes.done;
}
