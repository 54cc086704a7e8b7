import { commandLine } from '../../errors/command-line.ts';
import { measureRotation } from '../../node/rotation/measure-rotation.ts';
import type { Node } from '../../node/node-options.ts';
import { readRotation } from '../../node/rotation/rotation.ts';
import { readStatuses } from '../../node/rotation/statuses.ts';
import { completed, nextStep, standings, type NextStep } from '../../operations/rotation/next-step.ts';
import type { Stage } from '../../operations/rotation/plan.ts';
import { orderOf } from '../../operations/rotation/state.ts';
import type { NodeStatus } from '../../operations/rotation/status.ts';
import { nextDocument, nextLines } from '../../render/rotation/next.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { RotateOptions } from './rotate-options.ts';

/** Says where the rotation is, and what is next on which nodes. */
export async function showNext(node: Node, options: RotateOptions, terminal: Terminal): Promise<ExitCode> {
  const own = await measureRotation(node, readRotation(node), options, new Date(), terminal);
  // What a node has said in an earlier rotation tells nothing of this one.
  const others = readStatuses(node, options.from ?? []).filter(
    ({ rotation }) => rotation === undefined || rotation.id === own.rotation?.id,
  );
  const nodes: readonly [NodeStatus, ...NodeStatus[]] = [own, ...others];
  const next = nextStep(nodes);
  const { output } = options;
  terminal.result(
    output === 'text'
      ? nextLines(own.rotation, standings(nodes), next)
      : nextDocument(own.rotation, standings(nodes), next, output),
  );
  terminal.hint(hintOf(next, own, commandLine(node.flags)));
  return exitCodes.done;
}

function elsewhere({ stage, controlPlanes, workers, silent }: Extract<NextStep, { kind: 'stage' }>): string {
  const exported = `kubepki ca trust FILE, of "kubepki ca rotate export" on a control plane at ${stage}`;
  return [
    [controlPlanes, `kubepki ca rotate ${stage}`] as const,
    [workers, exported] as const,
    [silent, `kubepki ca status -o json, for --from`] as const,
  ]
    .flatMap(([nodes, what]) => (nodes.length === 0 ? [] : [`on ${nodes.join(', ')}: ${what}`]))
    .join('; ');
}

/** The CAs that are not at the stage yet, where others are: these would be refused. */
function behind({ authorities }: NodeStatus, stage: Stage): string[] {
  const left = authorities.filter((one) => orderOf(completed(one)) < orderOf(stage));
  return left.length === authorities.length ? [] : left.map(({ name }) => name);
}

function hintOf(next: NextStep, own: NodeStatus, command: (words: string) => string): string | undefined {
  switch (next.kind) {
    case 'none':
      return `prepare one: ${command('ca rotate prepare')}`;
    case 'unclear':
      return `on each of these nodes: ${command('ca status')}`;
    case 'over':
      return own.role === 'worker' || own.rotation === undefined
        ? undefined
        : `to destroy the old keys, on every control plane: ${command(`ca rotate finish --destroy-old-key ${own.rotation.id}`)}`;
    case 'stage':
      return next.controlPlanes.includes(own.node)
        ? `on this node: ${command(['ca rotate', next.stage, ...behind(own, next.stage)].join(' '))}`
        : elsewhere(next);
  }
}
