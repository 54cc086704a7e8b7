import { join } from 'node:path';
import type { FileTarget } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { stateDirectoryName } from '../filesystem/own-names.ts';
import { exists } from '../filesystem/regular-file.ts';
import type { PlannedAuthority, RotationPlan } from '../operations/rotation/plan.ts';
import { parseRotationPlan } from './rotation-plan.ts';
import { commandHere, readOwn, requireSoundStateDirectory, type StateDirectory } from './state-directory.ts';

/** The files of a rotation below `.kubepki/rotation/`, by their names. They are written by a ChangeSet only. */
export type RotationFileName = 'plan.json' | `${PlannedAuthority['name']}.${RotationFilePart}`;

/** The certificates of an authority, and of its keys the one that is not in the cert dir. */
export type RotationFilePart = 'old.crt' | 'next.crt' | 'cross.crt' | 'next.key' | 'old.key';

export interface RotationFile {
  readonly target: FileTarget;
  /** undefined: it is not there. */
  readonly bytes: Buffer | undefined;
}

const directoryName = 'rotation';

/** A file of a rotation, for a reader and for a change of it. @throws KubepkiError not-a-file, too-large, no-permission, io */
export function readRotationFile(state: StateDirectory, name: RotationFileName): RotationFile {
  const { path, resolvedPath } = placeOf(state, name);
  const file = readOwn(resolvedPath);
  return { target: { path, resolvedPath, before: file?.facts }, bytes: file?.bytes };
}

/** For messages; nothing is looked at. */
export function rotationPlanPath({ shownCertDir }: StateDirectory): string {
  return join(shownCertDir, stateDirectoryName, directoryName, 'plan.json');
}

/** Whether it is there; it is not opened. @throws KubepkiError no-permission, not-a-file, io */
export function isRotationFileThere(state: StateDirectory, name: RotationFileName): boolean {
  const { path, resolvedPath } = placeOf(state, name);
  return exists(resolvedPath, path);
}

/**
 * @returns the plan with the file that it was read from; undefined when no CA is being rotated
 * @throws KubepkiError unfinished for a plan that cannot be used; not-a-file, too-large, no-permission, io
 */
export function readRotationPlan(
  state: StateDirectory,
): { readonly plan: RotationPlan; readonly target: FileTarget } | undefined {
  const { target, bytes } = readRotationFile(state, 'plan.json');
  if (bytes === undefined) return undefined;
  const plan = parseRotationPlan(bytes);
  if (plan !== undefined) return { plan, target };
  throw new KubepkiError('unfinished', 'is no plan of a rotation that this version of kubepki understands', {
    file: target.path,
    hint: putBackHint(state),
  });
}

/** What helps where a file of a rotation is not what the stages have left. */
export function putBackHint(state: StateDirectory): string {
  return `put it back from another control plane, or from the backup of a stage: ${commandHere(state, 'history')}`;
}

function placeOf(
  state: StateDirectory,
  name: RotationFileName,
): { readonly path: string; readonly resolvedPath: string } {
  const directory = join(state.path, directoryName);
  for (const one of [state.path, directory]) requireSoundStateDirectory(one);
  return {
    path: join(state.shownCertDir, stateDirectoryName, directoryName, name),
    resolvedPath: join(directory, name),
  };
}
