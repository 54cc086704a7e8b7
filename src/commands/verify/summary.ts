import { KubepkiError } from '../../errors/error.ts';
import { period } from '../../flags/values.ts';
import type { NodeOptions } from '../../node/node-options.ts';
import { verificationSummary } from '../../render/verification/summary.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { exitCodeOf, verifyNode } from './verify.ts';

/**
 * What `kubepki` alone says on a node of kubeadm's: how it is, in one line, and what is wrong.
 * @returns undefined: it is no such node, so that there is only help to give
 */
export async function summarise(options: NodeOptions, terminal: Terminal): Promise<ExitCode | undefined> {
  try {
    const node = await verifyNode({ ...options, within: period.parse('30d') }, '', terminal);
    terminal.result(verificationSummary([node]));
    return exitCodeOf([node]);
  } catch (error) {
    // Where a root was named, a node was meant.
    const isElsewhere = options.rootfs === undefined && error instanceof KubepkiError;
    if (isElsewhere && error.code === 'not-found') return undefined;
    throw error;
  }
}
