import type { FileTarget } from '../../changeset/change-set.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import { reading, type Slot } from '../../inventory/reading.ts';
import type { PlannedAuthority } from '../../operations/rotation/plan.ts';
import {
  requirePlanned,
  requireSoundCross,
  type KeptAuthority,
  type PlannedCertificates,
  type Rotation,
} from '../../operations/rotation/rotation.ts';
import { parseCertificates, type Certificate } from '../../pki/certificate/certificate.ts';
import { parsePrivateKey, type PrivateKey } from '../../pki/key/private-key.ts';
import {
  isRotationFileThere,
  putBackHint,
  readRotationFile,
  readRotationPlan,
  type RotationFileName,
} from '../../storage/rotation-files.ts';
import type { StateDirectory } from '../../storage/state-directory.ts';
import type { Node } from '../node-options.ts';
import { stateOf } from '../waiting.ts';

/**
 * @returns undefined when no CA of this node is being rotated
 * @throws KubepkiError unfinished, not-found, bad-certificate for files that are not what the stages have left; no-permission, io
 */
export function readRotation(node: Node): Rotation | undefined {
  const state = stateOf(node);
  const found = readRotationPlan(state);
  if (found === undefined) return undefined;
  const { plan, target: planFile } = found;
  return { plan, planFile, authorities: plan.authorities.map((one) => readAuthority(state, one)) };
}

/** @throws KubepkiError not-found where none is prepared, and as {@link readRotation} */
export function requireRotation(node: Node): Rotation {
  const rotation = readRotation(node);
  if (rotation !== undefined) return rotation;
  const command = commandLine(node.flags);
  throw new KubepkiError('not-found', 'no rotation is prepared on this node', {
    hint: `prepare one: ${command('ca rotate prepare')}; or bring the one of another control plane: ${command('ca rotate prepare --import FILE')}`,
  });
}

/** The cross-certificates of a rotation under way; none: there is none. @throws KubepkiError as {@link readRotation} */
export function crossesHere(node: Node): readonly Certificate[] {
  return readRotation(node)?.authorities.map(({ cross }) => cross) ?? [];
}

/** A file of a rotation as a target, whether it is there or not: for a change that makes it, replaces it or takes it away. */
export function rotationTarget(node: Node, name: RotationFileName): FileTarget {
  return readRotationFile(stateOf(node), name).target;
}

/** Opens the key of a CA that is not in the cert dir. */
export function readKeptKey(
  node: Node,
  name: PlannedAuthority['name'],
  which: 'old' | 'next',
): Slot<PrivateKey> {
  const { target, bytes } = readRotationFile(stateOf(node), `${name}.${which}.key`);
  return { target, content: reading(target.path, () => bytes && parsePrivateKey(bytes)) };
}

function readAuthority(state: StateDirectory, planned: PlannedAuthority): KeptAuthority {
  const { name } = planned;
  const [old, next, cross] = [
    readPlanned(state, planned, 'old'),
    readPlanned(state, planned, 'next'),
    readPlanned(state, planned, 'cross'),
  ];
  const certificates = { old: old.certificate, next: next.certificate, cross: cross.certificate };
  orPutBack(state, cross.target, () => {
    requireSoundCross(certificates);
  });
  return {
    name,
    ...certificates,
    files: { old: old.target, next: next.target, cross: cross.target },
    keys: {
      old: isRotationFileThere(state, `${name}.old.key`),
      next: isRotationFileThere(state, `${name}.next.key`),
    },
  };
}

interface ReadCertificate {
  readonly target: FileTarget;
  readonly certificate: Certificate;
}

function readPlanned(
  state: StateDirectory,
  planned: PlannedAuthority,
  part: keyof PlannedCertificates,
): ReadCertificate {
  const { target, bytes } = readRotationFile(state, `${planned.name}.${part}.crt`);
  const certificate = orPutBack(state, target, () => {
    if (bytes === undefined)
      throw new KubepkiError('not-found', 'the plan of the rotation names it, and it is not there');
    const [first] = parseCertificates(bytes);
    requirePlanned(first, planned[part]);
    return first;
  });
  return { target, certificate };
}

/** An error of what is read says which file it is about, and where another one is. */
function orPutBack<T>(state: StateDirectory, { path }: FileTarget, read: () => T): T {
  try {
    return naming(path, read);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    const { code, message, file, hint } = error;
    throw new KubepkiError(code, message, { file, hint: hint ?? putBackHint(state), cause: error });
  }
}
