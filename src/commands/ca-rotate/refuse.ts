import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { retyped } from '../../flags/table.ts';
import type { Node } from '../../node/node-options.ts';
import type { Condition } from '../../operations/rotation/conditions.ts';
import type { Stage } from '../../operations/rotation/plan.ts';
import { conditionDocument, conditionLines } from '../../render/rotation/conditions.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { RotateOptions } from './rotate-options.ts';

/** Says what the stage waits for: what is not met is to be mended, and what was not measured may be accepted. */
export function refuse(
  stage: Stage,
  conditions: readonly Condition[],
  {
    node,
    options,
    terminal,
  }: { readonly node: Node; readonly options: RotateOptions; readonly terminal: Terminal },
): ExitCode {
  const names = (kind: Condition['outcome']['kind']): string[] =>
    conditions.flatMap((one) => (one.outcome.kind === kind ? [one.name] : []));
  const [unmet, unmeasured] = [names('unmet'), names('unmeasured')];
  const { output } = options;
  terminal.result(
    output === 'text' ? conditionLines(conditions) : conditionDocument(stage, conditions, output),
  );
  const accepted = [...(options.accept ?? []), ...unmeasured].join(',');
  const again = commandLine([
    ...retyped(options, ['from', 'caCert', 'crossCert', 'restart', 'kubeconfig', 'offline']),
    ...node.flags,
  ]);
  terminal.error(
    new KubepkiError(
      'conflict',
      `nothing was changed: ${stage} waits for ${[...unmet, ...unmeasured].join(', ')}`,
      {
        hint:
          unmet.length > 0
            ? `mend what is not met, as each line says, and try again: ${again(`ca rotate ${stage}`)}`
            : `measure it, or give your word for it: ${again(`ca rotate ${stage} --accept ${accepted}`)}`,
      },
    ),
  );
  return exitCodes.error;
}
