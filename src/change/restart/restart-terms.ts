import type { Component } from '../../catalog/catalog.ts';
import { withManifestsDir } from '../../inventory/layout.ts';
import type { Node, NodeOptions } from '../../node/node-options.ts';
import { pendingTerms } from './pending.ts';
import { restartFlags, retyped, type RestartFlags } from '../../flags/table.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { stateOf } from '../../node/waiting.ts';

const defaultTimeouts = { stopTimeout: 180_000, startTimeout: 300_000 };

/** What a restart goes by. */
export type RestartOptions = RestartFlags & Required<Pick<RestartFlags, keyof typeof defaultTimeouts>>;

interface TermedRestart<T> {
  /** With the directory of manifests that the restart goes by. */
  readonly node: Node;
  readonly options: T & RestartOptions;
}

/**
 * How to restart these components: what an earlier run was asked that has left one of them is asked again, except where
 * this command line says otherwise.
 * @param terminal says so; undefined: where it is said later
 * @throws KubepkiError not-found, not-a-file, no-permission for a directory that has gone since
 */
export function termsFor<T extends NodeOptions & RestartFlags>(
  node: Node,
  components: readonly Component[],
  options: T,
  terminal?: Terminal,
): TermedRestart<T> {
  const { manifestsDir, ...times } = pendingTerms(stateOf(node), components);
  const { root } = node.layout;
  const left = manifestsDir === undefined ? times : { ...times, manifestsDir: root.display(manifestsDir) };
  const again = untyped(left, options);
  if (again.length > 0) terminal?.note(`restarting as the earlier run was to: ${again.join(' ')}`);
  const terms = { ...defaultTimeouts, ...left, ...options };
  if (manifestsDir === undefined || options.manifestsDir !== undefined) return { node, options: terms };
  return { node: { ...node, layout: withManifestsDir(node.layout, manifestsDir) }, options: terms };
}

function untyped(left: RestartFlags, typed: RestartFlags): readonly string[] {
  return retyped(
    left,
    restartFlags.filter((name) => typed[name] === undefined),
  );
}
