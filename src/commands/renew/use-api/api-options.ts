import type { ChangeFlags } from '../../../change/change-node.ts';
import {
  clusterFlags,
  restartAfterFlags,
  retyped,
  sanFlags,
  type apiFlags,
  type Typed,
} from '../../../flags/table.ts';

export interface ApiOptions
  extends
    ChangeFlags,
    Typed<(typeof apiFlags | typeof clusterFlags | typeof sanFlags)[number]>,
    Typed<'validity' | 'within' | 'force'> {}

/** The same flags again, for a command line in a hint that goes on with what waits: what was asked for is decided. */
export function resumeFlags(options: ApiOptions): string[] {
  return retyped(options, [...clusterFlags, ...restartAfterFlags, 'deployHook', 'textfile', 'keepBackups']);
}

/** The same for one that asks. */
export function askFlags(options: ApiOptions): string[] {
  const asked = ['useApi', 'signerName', 'approve', 'timeout', ...sanFlags, 'validity', 'force'] as const;
  return [...retyped(options, asked), ...resumeFlags(options)];
}
