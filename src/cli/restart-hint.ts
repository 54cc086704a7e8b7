import type { Component } from '../catalog/catalog.ts';
import { shellWord } from '../errors/shell-word.ts';
import { nodeFlags, type NodeOptions } from './node-options.ts';
import type { RestartOptions } from './restart-options.ts';

/** The command that goes on where a sequence was stopped; undefined when nothing is left. */
export function restartHint(
  left: readonly Component[],
  options: NodeOptions & Pick<RestartOptions, 'manifestsDir'>,
): string | undefined {
  if (left.length === 0) return undefined;
  const manifests =
    options.manifestsDir === undefined ? [] : ['--manifests-dir', shellWord(options.manifestsDir)];
  return `then: ${['kubepki restart', ...left, ...nodeFlags(options), ...manifests].join(' ')}`;
}
