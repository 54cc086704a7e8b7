import { tokenKeyFiles } from '../catalog/init-order.ts';
import { changedInUse, componentsToRestart, type ChangeReport } from '../operations/change/change-report.ts';
import { authorityRemarks } from '../operations/places/kubeconfig-authority.ts';
import type { Place } from '../operations/places/place.ts';
import { changeSummary } from '../render/change/change-summary.ts';
import type { Node } from '../node/node-options.ts';
import type { Typed } from '../flags/table.ts';
import { restartCommand } from './restart/pending.ts';
import type { Terminal } from '../terminal/terminal.ts';

/**
 * Says what has changed, and which components must be restarted to use it, where that is not done at once. With `--quiet` that is one
 * line: a renewal that nobody sees is no record. A document has the sum already.
 */
export function noteChange(
  report: ChangeReport,
  node: Pick<Node, 'flags'>,
  options: Typed<'output' | 'restart' | 'manifestsDir'>,
  terminal: Terminal,
): void {
  const summary = changeSummary(report);
  if (summary === undefined) return;
  const components = options.restart === true ? [] : componentsToRestart(report);
  const command = restartCommand(components, node, options);
  if (terminal.quiet) {
    terminal.record(command === undefined ? summary : `${summary}; to use what is new: ${command}`);
    return;
  }
  if (options.output === 'text' && changedInUse(report).length > 0) terminal.note(summary);
  if (command === undefined) return;
  // What is rolled back may be either.
  const areKeys = changedInUse(report).every(({ name }) => tokenKeyFiles.some((one) => one.name === name));
  const what = areKeys ? 'have the keys read' : 'use the new certificates';
  terminal.note(`restart ${components.join(', ')} to ${what}`);
  terminal.hint(command);
}

/** The kubelet looks at its files when it starts, and no longer when it runs. @param what it is to use */
export function noteKubelet(what: string, terminal: Terminal): void {
  const command = 'systemctl restart kubelet';
  if (terminal.quiet) {
    terminal.record(`to have the kubelet use ${what}: ${command}`);
    return;
  }
  terminal.note(`restart the kubelet to use ${what}`);
  terminal.hint(command);
}

/** Says of each kubeconfig among the places which CAs it gets, and which it has that ca.crt has not. */
export function noteAuthorities(placed: readonly { readonly place: Place }[], terminal: Terminal): void {
  const kubeconfigs = placed.flatMap(({ place }) => place.trusting ?? []);
  for (const { kind, text, hint } of kubeconfigs.flatMap(authorityRemarks)) {
    terminal[kind](text);
    terminal.hint(hint);
  }
}
