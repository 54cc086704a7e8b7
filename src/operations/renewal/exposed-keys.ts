import type { PrivateKeys } from '../../inventory/private-keys.ts';

/** Host paths of the files with private keys in them (a CA's, the service accounts', kubeconfigs) that any user may read. */
export function exposedKeys(keys: PrivateKeys): readonly string[] {
  const exposed = [...keys.values()].filter(({ target }) => ((target.before?.mode ?? 0) & 0o007) !== 0);
  return [...new Set(exposed.map(({ target }) => target.path))];
}
