import { dirname, join } from 'node:path';
import type { RotationPlan } from '../operations/rotation/plan.ts';
import { listBackups, removeBackup } from './backup.ts';
import { removeIfThere, syncDirectory } from './durable.ts';
import { readRotationFile, type RotationFileName, type RotationFilePart } from './rotation-files.ts';
import { removeIfEmpty, type StateDirectory } from './state-directory.ts';

const keys: readonly RotationFilePart[] = ['old.key', 'next.key'];
const certificates: readonly RotationFilePart[] = ['old.crt', 'next.crt', 'cross.crt'];

/**
 * Ends a rotation: the old keys go first, then each backup that holds one, then the plan. So where it is killed in between, the same
 * again goes on. The certificates, without which the plan could not be read, go last: they are public.
 * @param authorityKeys the files of the CA keys in the cert dir, without symlinks
 * @returns the backups that are gone, and those of which it cannot be told what they hold
 * @throws KubepkiError io, no-permission
 */
export function destroyRotation(
  state: StateDirectory,
  { authorities }: RotationPlan,
  authorityKeys: readonly string[],
): { readonly backups: readonly string[]; readonly damaged: readonly string[] } {
  const files = (parts: readonly RotationFilePart[]): readonly string[] =>
    authorities.flatMap(({ name }) =>
      parts.map((part) => readRotationFile(state, `${name}.${part}`).target.resolvedPath),
    );
  const keyFiles = files(keys);
  for (const path of keyFiles) removeIfThere(path);
  const secret = new Set([...keyFiles, ...authorityKeys]);
  const { backups, damaged } = listBackups(state);
  const holding = backups.filter((one) =>
    one.files.some(({ resolvedPath, old }) => old !== null && secret.has(resolvedPath)),
  );
  for (const { id } of holding) removeBackup(state, id);
  const plan: RotationFileName = 'plan.json';
  const { resolvedPath } = readRotationFile(state, plan).target;
  const certificateFiles = files(certificates);
  syncDirectory(dirname(resolvedPath));
  removeIfThere(resolvedPath);
  syncDirectory(dirname(resolvedPath));
  for (const path of certificateFiles) removeIfThere(path);
  removeIfEmpty(dirname(resolvedPath));
  return {
    backups: holding.map(({ id }) => id),
    damaged: damaged.map(({ id }) => join(state.backups, id)),
  };
}
