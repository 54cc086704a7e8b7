import { dirname, join } from 'node:path';
import type { RotationPlan } from '../operations/rotation/plan.ts';
import { listBackups, removeBackup } from './backup.ts';
import { removeIfThere, syncDirectory } from './durable.ts';
import { readRotationFile, type RotationFileName, type RotationFilePart } from './rotation-files.ts';
import { removeIfEmpty, type StateDirectory } from './state-directory.ts';

const keys: readonly RotationFilePart[] = ['old.key', 'next.key'];
const certificates: readonly RotationFilePart[] = ['old.crt', 'next.crt', 'cross.crt'];

/**
 * Ends a rotation: the old keys go first, then each backup that holds one, then what is left of it, and the plan last. So where it is
 * killed in between, the plan is there still, and the same again goes on.
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
  for (const path of files(certificates)) removeIfThere(path);
  const plan: RotationFileName = 'plan.json';
  const { resolvedPath } = readRotationFile(state, plan).target;
  syncDirectory(dirname(resolvedPath));
  removeIfThere(resolvedPath);
  removeIfEmpty(dirname(resolvedPath));
  return {
    backups: holding.map(({ id }) => id),
    damaged: damaged.map(({ id }) => join(state.backups, id)),
  };
}
