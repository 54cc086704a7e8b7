import type { ChangeFlags } from '../../change/change-node.ts';
import type { Typed } from '../../flags/table.ts';

export interface TrustOptions extends ChangeFlags, Typed<'accept' | 'offline'> {
  readonly keepBackups: number;
}
