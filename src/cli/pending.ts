import { readFileSync } from 'node:fs';
import { certificates, type Component } from '../catalog/catalog.ts';
import type { ChangeSet } from '../changeset/change-set.ts';
import { restartOrder } from '../catalog/restart-order.ts';
import { KubepkiError } from '../errors/error.ts';
import { sha256 } from '../filesystem/regular-file.ts';
import {
  hasPendingRestarts,
  readPendingRestarts,
  writePendingRestarts,
  type PendingRestart,
} from '../storage/pending-restarts.ts';
import type { StateDirectory } from '../storage/state-directory.ts';
import type { NodeOptions } from './node-options.ts';
import { restartCommand } from './restart-command.ts';
import type { Terminal } from './terminal.ts';

/** Components that an earlier run was to restart, and has not. */
export function pendingComponents(state: StateDirectory): readonly Component[] {
  const pending = readPendingRestarts(state, bootId());
  return restartOrder.filter((component) => pending.some((one) => one.component === component));
}

/** Leaves word that these components must be restarted once this change is made. */
export function announceRestarts(
  state: StateDirectory,
  components: readonly Component[],
  changes: ChangeSet,
): void {
  const before = readPendingRestarts(state, bootId());
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
  writePendingRestarts(state, [...others, ...announced], bootId());
}

/** What is not to be restarted any more is forgotten; call it under the lock. */
export function tidyPending(state: StateDirectory): void {
  try {
    if (hasPendingRestarts(state))
      writePendingRestarts(state, readPendingRestarts(state, bootId()), bootId());
  } catch (error) {
    // It only asks for a restart, and is checked again by whoever reads it.
    if (!(error instanceof KubepkiError)) throw error;
  }
}

/** This one has been restarted. */
export function settlePending(state: StateDirectory, component: Component): void {
  const before = readPendingRestarts(state, bootId());
  const after = before.filter((one) => one.component !== component);
  if (after.length < before.length) writePendingRestarts(state, after, bootId());
}

/** A run that was to restart them was stopped before it could. */
export function notePendingRestarts(state: StateDirectory, options: NodeOptions, terminal: Terminal): void {
  const components = pendingComponents(state);
  if (components.length === 0) return;
  terminal.note(`not restarted yet since their certificates changed: ${components.join(', ')}`);
  terminal.hint(restartCommand(components, options));
}

/** Which components use these certificates, in the order of restarting. */
export function componentsOf(names: readonly string[]): readonly Component[] {
  const users = certificates
    .filter(({ name }) => names.includes(name))
    .flatMap(({ components }) => components);
  return restartOrder.filter((component) => users.includes(component));
}

/** The kernel's name for the time since this machine was started. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // No /proc: then a reboot is not noticed, and something is restarted once more.
    return 'unknown';
  }
}
