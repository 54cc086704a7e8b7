import type { InitSpec } from '../../catalog/init-order.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import type { GenerationContext } from './generate.ts';

export interface GenerationSettings extends GenerationContext {
  readonly etcd: 'stacked' | 'external';
  /** Said by name, not by `all`: what must not be made unasked is made. */
  readonly named: ReadonlySet<InitSpec>;
  readonly command: CommandLine;
}
