import type { TreeExpiration } from '../../operations/expiration/expiration.ts';
import type { Period } from '../../flags/values.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { judgeExpiration } from './show-expiration.ts';

/** Says of which node it is. */
export function ofNode(node: string, terminal: Terminal): Pick<Terminal, 'warning'> {
  return {
    warning: (text) => {
      terminal.warning(`${node}: ${text}`);
    },
  };
}

/** The worst of them: 5, else 4. */
export function judgeTrees(trees: readonly TreeExpiration[], within: Period, terminal: Terminal): ExitCode {
  const codes = trees.map(({ node, report, problems }) => {
    if (report === undefined) return exitCodes.expired;
    return judgeExpiration({ report, problems }, within, ofNode(node, terminal));
  });
  return [exitCodes.expired, exitCodes.expiring].find((code) => codes.includes(code)) ?? exitCodes.done;
}
