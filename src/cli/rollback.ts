import type { FileTarget } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import { readInventory } from '../inventory/inventory.ts';
import { requireUnexpired, rollBack, rollbackRecords, type RestorableFile } from '../operations/rollback.ts';
import { dryRunLines } from '../render/dry-run.ts';
import { findBackup, readBackupFile, type BackupManifest } from '../storage/backup.ts';
import type { StateDirectory } from '../storage/state-directory.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { openNode, type NodeOptions } from './node-options.ts';
import { makeChange, underLock, type LockOptions } from './session.ts';
import type { Terminal } from './terminal.ts';
import { noteWaiting, stateOf } from './waiting.ts';

export interface RollbackOptions extends NodeOptions, LockOptions {
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly keepBackups: number;
}

/** @param id undefined: the newest backup */
export async function rollBackChange(
  id: string | undefined,
  options: RollbackOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const node = await openNode(options, terminal);
  if (options.dryRun === true) {
    noteWaiting(node, terminal);
    const backup = findBackup(stateOf(node), id);
    requireUnexpired(backup.certificates, new Date(), options.force === true);
    terminal.result(
      dryRunLines(
        planned(backup),
        backup.files.map(({ path }) => path),
      ),
    );
    return exitCodes.done;
  }
  return underLock(node, options, terminal, async (state) => {
    const now = new Date();
    const backup = findBackup(state, id);
    requireUnexpired(backup.certificates, now, options.force === true);
    const files = backup.files.map((file) => restorable(state, backup, file));
    const inventory = readInventory(node.layout, node.config?.etcd ?? 'stacked');
    const interruption = await makeChange(
      state,
      {
        changes: rollBack(files),
        certificates: rollbackRecords(backup.certificates, inventory),
        verify: (read) => {
          for (const { target, old } of files) requireRestored(target, old?.content, read);
        },
      },
      { keepBackups: options.keepBackups, now, terminal },
    );
    if (interruption !== undefined) return interruption;
    terminal.result(
      `rolled back: ${String(files.length)} files are as they were before ${backup.time} (${backup.id})\n`,
    );
    terminal.note('restart the components that use them');
    return exitCodes.done;
  });
}

function restorable(
  state: StateDirectory,
  backup: BackupManifest,
  file: BackupManifest['files'][number],
): RestorableFile {
  const { path, resolvedPath, old } = file;
  const now = readRegularFile(resolvedPath, path);
  const content = readBackupFile(state, backup.id, file);
  return {
    target: { path, resolvedPath, before: now },
    old:
      old === null || content === undefined
        ? undefined
        : { content, mode: old.mode, owner: { uid: old.uid, gid: old.gid } },
  };
}

function requireRestored(
  target: FileTarget,
  content: Buffer | undefined,
  read: (target: FileTarget) => Buffer,
): void {
  if (content === undefined || read(target).equals(content)) return;
  throw new KubepkiError('verification', 'read back from disk, it is not what the backup holds', {
    file: target.path,
  });
}

function planned(backup: BackupManifest): Parameters<typeof dryRunLines>[0] {
  const date = (facts: { readonly notAfter: string } | undefined): Date | undefined =>
    facts === undefined ? undefined : new Date(facts.notAfter);
  return backup.certificates.map((record) => ({
    name: record.name,
    oldNotAfter: date(record.new),
    newNotAfter: date(record.old),
    files: [],
  }));
}
