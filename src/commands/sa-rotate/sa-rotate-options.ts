import type { ChangeFlags } from '../../change/change-node.ts';
import type { clusterFlags, Typed } from '../../flags/table.ts';

export interface SaRotateOptions
  extends
    ChangeFlags,
    Typed<'accept' | 'key' | 'passphraseFile' | 'destroyOldKey' | (typeof clusterFlags)[number]> {
  readonly keepBackups: number;
}
