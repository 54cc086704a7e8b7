import type { Component } from '../../catalog/catalog.ts';
import { retyped } from '../../flags/table.ts';
import { retypedNode, type NodeOptions } from '../../node/node-options.ts';

/** The command that restarts these; undefined for none. */
export function restartCommand(components: readonly Component[], options: NodeOptions): string | undefined {
  if (components.length === 0) return undefined;
  const flags = [...retypedNode(options), ...retyped(options, ['manifestsDir'])];
  return ['kubepki restart', ...components, ...flags].join(' ');
}
