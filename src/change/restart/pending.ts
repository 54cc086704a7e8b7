import { restartOrder, type Component } from '../../catalog/catalog.ts';
import { usersOfNamed } from '../../catalog/init-order.ts';
import type { ChangeSet } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import { sha256 } from '../../filesystem/regular-file.ts';
import {
  hasPendingRestarts,
  readPendingRestarts,
  unusablePendingRestarts,
  writePendingRestarts,
  type PendingRestart,
  type PendingRestarts,
  type RestartTerms,
} from '../../storage/pending-restarts.ts';
import type { StateDirectory } from '../../storage/state-directory.ts';
import { bootId } from '../../inventory/boot-id.ts';
import type { Node } from '../../node/node-options.ts';
import { retyped, type RestartFlags } from '../../flags/table.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** Components that an earlier run was to restart, and has not. */
export function pendingComponents(state: StateDirectory): readonly Component[] {
  return componentsIn(readPendingRestarts(state, bootId()));
}

/** How it was to restart them, unless nothing of these is left to restart. Its directory is a host path. */
export function pendingTerms(state: StateDirectory, components: readonly Component[]): RestartTerms {
  const pending = readPendingRestarts(state, bootId());
  return componentsIn(pending).some((component) => components.includes(component)) ? pending.terms : {};
}

function componentsIn({ restarts }: PendingRestarts): readonly Component[] {
  return restartOrder.filter((component) => restarts.some((one) => one.component === component));
}

/** Leaves word that these components must be restarted once this change is made, and how. */
export function announceRestarts(
  state: StateDirectory,
  components: readonly Component[],
  changes: ChangeSet,
  asked: RestartFlags & { readonly restart?: boolean | undefined },
): void {
  const { restarts: before, terms } = readPendingRestarts(state, bootId());
  const files = changes.flatMap(({ target, after }) =>
    after === undefined ? [] : [{ path: target.path, sha256: sha256(after.content) }],
  );
  // Until this change is made, and when it is taken back, what an earlier one has left to restart still is.
  const earlier = (component: Component): PendingRestart['files'] =>
    before.filter((one) => one.component === component).flatMap((one) => one.files);
  const announced = components.map((component): PendingRestart => ({
    component,
    files: [...earlier(component), ...files],
  }));
  const others = before.filter((one) => !announced.some(({ component }) => component === one.component));
  writePendingRestarts(
    state,
    { restarts: [...others, ...announced], terms: { ...terms, ...termsOf(state, asked) } },
    bootId(),
  );
}

function termsOf(
  { root }: StateDirectory,
  {
    restart,
    manifestsDir,
    settle,
    stopTimeout,
    startTimeout,
  }: RestartFlags & { readonly restart?: boolean | undefined },
): RestartTerms {
  // Without --restart there may be a --manifests-dir, which is then for looking.
  if (restart !== true) return {};
  return {
    ...(manifestsDir === undefined ? {} : { manifestsDir: root.locate(manifestsDir) }),
    ...(settle === undefined ? {} : { settle }),
    ...(stopTimeout === undefined ? {} : { stopTimeout }),
    ...(startTimeout === undefined ? {} : { startTimeout }),
  };
}

/** What is not to be restarted any more is forgotten; call it under the lock. */
export function tidyPending(
  state: StateDirectory,
  options: Pick<RestartFlags, 'manifestsDir'>,
  terminal: Terminal,
): void {
  try {
    if (!hasPendingRestarts(state)) return;
    const unusable = unusablePendingRestarts(state);
    if (unusable !== undefined) {
      terminal.warning(`${unusable.oneLine}; what an earlier run has left to restart is not known`);
      const flags = [...state.flags, ...retyped(options, ['manifestsDir'])];
      const command = ['kubepki restart', ...flags].join(' ');
      terminal.hint(`if certificates have changed since their components were started: ${command}`);
    }
    writePendingRestarts(state, readPendingRestarts(state, bootId()), bootId());
  } catch (error) {
    // The record only asks for a restart, and its reader checks it again.
    if (!(error instanceof KubepkiError)) throw error;
  }
}

/** This one has been restarted. */
export function settlePending(state: StateDirectory, component: Component): void {
  const { restarts, terms } = readPendingRestarts(state, bootId());
  const left = restarts.filter((one) => one.component !== component);
  if (left.length < restarts.length) writePendingRestarts(state, { restarts: left, terms }, bootId());
}

/** A run that was to restart them was stopped before it could. */
export function notePendingRestarts(state: StateDirectory, terminal: Terminal): void {
  const components = pendingComponents(state);
  if (components.length === 0) return;
  terminal.note(`not restarted yet since their certificates changed: ${components.join(', ')}`);
  const { manifestsDir } = pendingTerms(state, components);
  const where = manifestsDir === undefined ? {} : { manifestsDir: state.root.display(manifestsDir) };
  terminal.hint(restartCommand(components, state, where));
}

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

/** Which components must be restarted to use what has these names, in the order of restarting. */
export function componentsOf(names: readonly string[]): readonly Component[] {
  const users = names.flatMap(usersOfNamed);
  return restartOrder.filter((component) => users.includes(component));
}
