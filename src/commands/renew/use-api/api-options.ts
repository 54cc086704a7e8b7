import type { ChangeFlags } from '../../../change/change-node.ts';
import { clusterFlags, restartAfterFlags, retyped, sanFlags, type Typed } from '../../../flags/table.ts';

export interface ApiOptions
  extends
    ChangeFlags,
    Typed<'useApi' | 'signerName' | 'approve' | 'timeout' | 'resume' | 'discardPending'>,
    Typed<(typeof clusterFlags)[number] | (typeof sanFlags)[number]>,
    Typed<'validity' | 'within' | 'force'> {}

/** The same flags again, for a command line in a hint that goes on with what waits. */
export function resumeFlags(options: ApiOptions): string[] {
  return retyped(options, [...clusterFlags, ...restartAfterFlags, 'deployHook', 'textfile', 'keepBackups']);
}

/** The same for one that asks. */
export function apiFlags(options: ApiOptions): string[] {
  const asked = ['useApi', 'signerName', 'approve', 'timeout', ...sanFlags, 'validity'] as const;
  return [...retyped(options, asked), ...resumeFlags(options)];
}
