import type { Component } from '../../catalog/catalog.ts';
import { shellWord } from '../../errors/shell-word.ts';
import { nodeFlags, type NodeOptions } from '../../node/node-options.ts';
import type { RestartFlags } from '../../flags/restart-options.ts';

/** The command that restarts these; undefined for none. */
export function restartCommand(
  components: readonly Component[],
  options: NodeOptions & Pick<RestartFlags, 'manifestsDir'>,
): string | undefined {
  if (components.length === 0) return undefined;
  const manifests =
    options.manifestsDir === undefined ? [] : ['--manifests-dir', shellWord(options.manifestsDir)];
  return ['kubepki restart', ...components, ...nodeFlags(options), ...manifests].join(' ');
}
