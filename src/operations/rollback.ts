import type { CertificateRecord, ChangeSet, FileTarget } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { factsOf } from './certificate-facts.ts';

/** One file of a backup, with what is in its place now. */
export interface RestorableFile {
  readonly target: FileTarget;
  /** undefined: there was no file. */
  readonly old:
    | {
        readonly content: Buffer;
        readonly mode: number;
        readonly owner: { readonly uid: number; readonly gid: number };
      }
    | undefined;
}

/**
 * Bringing a backup back is a change like any other: a ChangeSet. Files that are as they were are left alone.
 */
export function rollBack(files: readonly RestorableFile[]): ChangeSet {
  return files
    .filter(({ target, old }) => target.before !== undefined || old !== undefined)
    .map(({ target, old }) => ({ target, after: old }));
}

/** What the manifest of the rollback's own backup says: the certificates of now, and those that come back. */
export function rollbackRecords(
  records: readonly CertificateRecord[],
  inventory: Inventory,
): CertificateRecord[] {
  return records.map((record) => {
    const entry = inventory.certificates.find(({ spec }) => spec.name === record.name);
    const now = entry?.state.status === 'present' ? factsOf(entry.state.value.chain[0]) : undefined;
    return { name: record.name, old: now, new: record.old };
  });
}

/**
 * @param force bring back certificates that have expired
 * @throws KubepkiError no-backup when some have and nobody insists
 */
export function requireUnexpired(records: readonly CertificateRecord[], now: Date, force: boolean): void {
  const expired = records.filter(({ old }) => old !== undefined && Date.parse(old.notAfter) < now.getTime());
  if (expired.length === 0 || force) return;
  throw new KubepkiError(
    'no-backup',
    `would bring back expired certificates: ${expired.map(({ name }) => name).join(', ')}`,
    {
      hint: 'if that is what you want: --force',
    },
  );
}
