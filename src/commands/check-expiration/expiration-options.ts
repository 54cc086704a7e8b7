import type { KeysOption } from '../../node/examine.ts';
import type { NodeOptions } from '../../node/node-options.ts';
import type { PresentOptions } from './present-expiration.ts';
import type { Typed } from '../../flags/table.ts';
import type { ClusterOptions } from '../../node/ask-cluster.ts';

/** All but which trees are meant. */
export interface ExpirationOptions
  extends Omit<NodeOptions, 'rootfs'>, ClusterOptions, PresentOptions, Typed<'textfile'>, KeysOption {
  /** Judge as of this moment; undefined: now. */
  readonly at?: Date;
}
