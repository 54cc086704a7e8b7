import { join } from 'node:path';
import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { isForeign } from '../../filesystem/owner.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { withKubelet } from '../../inventory/kubelet/kubelet-entry.ts';
import { ownedFiles } from '../../inventory/places.ts';
import { readFile } from '../../inventory/reading.ts';
import { requireWritten } from '../../operations/change/read-back.ts';
import {
  ownerWarnings,
  requireAuthoritiesKept,
  requireUsable,
  rollBack,
  rollbackRecords,
  type RestorableFile,
} from '../../operations/rollback/rollback.ts';
import { stageOfChange } from '../../operations/rotation/way-back.ts';
import { wayBack, type WayBack } from '../../operations/token-key/way-back.ts';
import { readBackupFile } from '../../storage/backup.ts';
import type { BackupFile, BackupManifest } from '../../storage/manifest.ts';
import { whyUnsafe } from '../../storage/safe-targets.ts';
import { commandHere, type StateDirectory } from '../../storage/state-directory.ts';
import { findBackup } from './find-backup.ts';
import type { Node } from '../../node/node-options.ts';
import { readRotation } from '../../node/rotation/rotation.ts';
import { readToFill } from '../../node/snapshot.ts';
import { readTokenKeyFiles } from '../../node/token-keys.ts';
import type { Change } from '../../change/session.ts';

export interface RollbackPlan {
  readonly backup: BackupManifest;
  readonly change: Change;
  /** Of the service-account key; undefined: no stage is taken back. */
  readonly stageBack: WayBack | undefined;
  readonly warnings: readonly string[];
  /** Names of certificates by the files that belong to them: host paths without symlinks. */
  readonly owners: ReadonlyMap<string, string>;
}

export interface StageBack {
  /** The backups of later changes of the same stage, which are taken back with it. */
  readonly newer: readonly BackupManifest[];
}

export interface RollbackWishes {
  readonly id: string | undefined;
  readonly now: Date;
  readonly force: boolean;
  /**
   * `ca rollback`, which has looked at the other nodes: a stage of a rotation replaces CAs.
   */
  readonly ofRotation?: StageBack | undefined;
}

/**
 * Reads a backup, and what is in the place of its files now.
 * @param id or its beginning, or the number; undefined: the newest that is further back
 * @throws KubepkiError no-backup, conflict
 */
export function planRollback(
  node: Node,
  state: StateDirectory,
  { id, now, force, ofRotation }: RollbackWishes,
): RollbackPlan {
  const backup = findBackup(state, id);
  if (ofRotation === undefined) requireNoStage(node, state, backup);
  const backups = [backup, ...(ofRotation?.newer ?? [])];
  const certificates = recordsIn(backups);
  const found = filesIn(backups).map(({ of, file }) =>
    file.written === undefined
      ? { file: restorable(node, state, of, file) }
      : restorableCopy(node, state, of, { ...file, written: file.written }),
  );
  const files = found.flatMap(({ file }) => file ?? []);
  const inventory = inventoryOf(node, certificates);
  if (!force) {
    const directory = join(state.backups, backup.id);
    requireUsable(certificates, files, { inventory, now, backup: directory });
  }
  const changes = rollBack(files);
  const stageBack = wayBack(changes, readTokenKeyFiles(node));
  if (ofRotation === undefined) {
    requireAuthoritiesKept(changes, inventory, { force, allowed: stageBack?.allowed });
  }
  return {
    backup,
    stageBack,
    owners: ownedFiles(inventory),
    warnings: [...ownerWarnings(files), ...found.flatMap((one) => ('left' in one ? [one.left] : []))],
    change: {
      changes,
      // What comes back was signed when it was made.
      signedBy: [],
      certificates: rollbackRecords(certificates, inventory),
      verify: (read) => {
        requireWritten(changes, read);
      },
    },
  };
}

/** What each file was before the first of these changes that has touched it. @param backups the oldest first */
function filesIn(
  backups: readonly BackupManifest[],
): { readonly of: BackupManifest; readonly file: BackupFile }[] {
  const all = backups.flatMap((of) => of.files.map((file) => ({ of, file })));
  return all.filter(({ file: { path } }, index) => all.findIndex((one) => one.file.path === path) === index);
}

/** What each certificate was before the first of these changes. @param backups the oldest first */
function recordsIn(backups: readonly BackupManifest[]): BackupManifest['certificates'] {
  const all = backups.flatMap(({ certificates }) => certificates);
  return all.filter(({ name }, index) => all.findIndex((one) => one.name === name) === index);
}

/** A stage of a rotation is taken back with an eye on the other nodes. @throws KubepkiError no-backup */
function requireNoStage(node: Node, state: StateDirectory, backup: BackupManifest): void {
  const stage = stageOfChange(backup);
  if (stage === undefined) return;
  throw new KubepkiError('no-backup', `is of "${stage}", a stage of a rotation of CAs`, {
    file: join(state.backups, backup.id),
    hint:
      readRotation(node) === undefined
        ? `that rotation is over, and nothing takes it back: ${commandHere(state, 'history')} lists what may be brought back by name`
        : `to take the last stage back: ${commandLine(node.flags)('ca rollback')}`,
  });
}

function inventoryOf(node: Node, certificates: BackupManifest['certificates']): Inventory {
  const { inventory } = readToFill(node);
  const isOfKubelet = certificates.some(({ name }) => name === kubeletKubeconfig.name);
  return isOfKubelet ? withKubelet(inventory) : inventory;
}

/** A user's own file comes back where it holds what the change wrote, and keeps nothing else from coming back. */
function restorableCopy(
  node: Node,
  state: StateDirectory,
  backup: BackupManifest,
  file: BackupFile & { readonly written: string },
): { readonly file: RestorableFile } | { readonly file: undefined; readonly left: string } {
  const left = (why: string): { file: undefined; left: string } => ({
    file: undefined,
    left: `${file.path}: stays as it is: ${why}`,
  });
  try {
    const found = restorable(node, state, backup, file);
    const target = { ...found.target, yields: true } as const;
    const now = target.before?.sha256;
    if (now === undefined) return left('it is not there any more');
    if (now !== file.written && now !== found.old?.sha256) return left('it was changed since');
    const unsafe = whyUnsafe(node.layout.root, target);
    return unsafe === undefined ? { file: { ...found, target } } : left(unsafe.message);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return left(error.message);
  }
}

function restorable(
  { layout }: Node,
  state: StateDirectory,
  backup: BackupManifest,
  file: BackupFile,
): RestorableFile {
  // Where the path leads now: a link that was put there since is followed as by any other command.
  const { target } = readFile(layout.root, file.path);
  const content = readBackupFile(state, backup.id, file);
  if (file.old === null || content === undefined) return { target, old: undefined };
  const { sha256, mode, uid, gid } = file.old;
  return { target, old: { content, sha256, mode, owner: { uid, gid }, foreign: isForeign(uid) } };
}
