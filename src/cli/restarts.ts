import type { CertificateSpec } from '../catalog/catalog.ts';
import { componentsOf } from './pending.ts';
import type { RestartAfterOptions } from './restart-after.ts';
import { restartCommand } from './restart-command.ts';
import type { Terminal } from './terminal.ts';

/** Says which components must be restarted to use what has changed, where that is not done at once. */
export function noteRestarts(
  changed: readonly CertificateSpec[],
  options: RestartAfterOptions,
  terminal: Terminal,
): void {
  const components = componentsOf(changed.map(({ name }) => name));
  if (options.restart === true || components.length === 0) return;
  terminal.note(`restart ${components.join(', ')} to use the new certificates`);
  terminal.hint(restartCommand(components, options));
}
