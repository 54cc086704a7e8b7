import type { Component } from '../../catalog/catalog.ts';
import { shellWord } from '../../errors/shell-word.ts';
import type { Node } from '../../node/node-options.ts';
import type { RestartFlags } from '../../flags/restart-options.ts';

/** The command that restarts these; undefined for none. */
export function restartCommand(
  components: readonly Component[],
  { flags }: Pick<Node, 'flags'>,
  { manifestsDir }: Pick<RestartFlags, 'manifestsDir'>,
): string | undefined {
  if (components.length === 0) return undefined;
  const manifests = manifestsDir === undefined ? [] : ['--manifests-dir', shellWord(manifestsDir)];
  return ['kubepki restart', ...components, ...flags, ...manifests].join(' ');
}
