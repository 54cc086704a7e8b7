import type { CertificateSpec, Component } from '../catalog/catalog.ts';
import type { Terminal } from './terminal.ts';

/** Says which components must be restarted to use what has changed. */
export function noteRestarts(changed: readonly CertificateSpec[], terminal: Terminal): void {
  const components = new Set<Component>(changed.flatMap((spec) => spec.components));
  if (components.size === 0) return;
  terminal.note(`restart ${[...components].join(', ')} to use the new certificates`);
}
