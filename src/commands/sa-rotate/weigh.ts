import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { restartAfterFlags, retyped, type FlagName } from '../../flags/table.ts';
import type { Node } from '../../node/node-options.ts';
import { isSettled, type Condition } from '../../operations/token-key/conditions.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { SaRotateOptions } from './sa-rotate-options.ts';

interface Weighed {
  readonly errors: readonly KubepkiError[];
  /** What is said after the errors. */
  readonly onRefusal: () => void;
  /** What is said before anything is made: what the operator has given his word for. */
  readonly beforehand: () => void;
}

/** All but --accept, which grows, and the flags that lead to the node. */
const again = [
  ...(['key', 'passphraseFile', 'kubeconfig', 'offline'] as const),
  ...restartAfterFlags,
  ...(['deployHook', 'keepBackups'] as const),
] satisfies readonly FlagName[];

/** @param command that is run again with the operator's word */
export function weigh(
  conditions: readonly Condition[],
  options: SaRotateOptions,
  { node, command, terminal }: { readonly node: Node; readonly command: string; readonly terminal: Terminal },
): Weighed {
  const { accept = [] } = options;
  const open = conditions.filter((one) => !isSettled(one, accept));
  const words = conditions.filter((one) => one.state !== 'met' && isSettled(one, accept));
  const acceptable = open.filter((one) => isSettled(one, [one.name]));
  return {
    errors: open.map(
      ({ name, state, says, hint }) =>
        new KubepkiError(state === 'unknown' ? 'cluster' : 'in-use', `${name}: ${says}`, { hint }),
    ),
    onRefusal: () => {
      if (open.length > acceptable.length) {
        terminal.hint('nothing was changed: do what is said above, then try again');
        return;
      }
      const names = [...new Set([...accept, ...acceptable.map(({ name }) => name)])].join(',');
      const flags = [...retyped(options, again), '--accept', names, ...node.flags];
      terminal.hint(
        `nothing was changed; where you know better, on your word: ${commandLine(flags)(command)}`,
      );
    },
    beforehand: () => {
      for (const { name, says } of words) terminal.warning(`on your word (${name}): ${says}`);
    },
  };
}
