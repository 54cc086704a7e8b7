import { usersOfNamed } from '../../catalog/init-order.ts';
import type {
  CertificateFacts,
  CertificateRecord,
  ChangeSet,
  FileContent,
  FileTarget,
} from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { readKubeconfig } from '../../kubeconfig/read.ts';
import { parseCertificates, type Chain } from '../../pki/certificate/certificate.ts';
import { isReissueOf } from '../../pki/issue/reissue.ts';
import { chainsTo } from '../../pki/path/path.ts';
import { factsOf } from '../change/certificate-facts.ts';
import {
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';
import { requireReplaceable } from '../change/replaceable.ts';

/** One file of a backup, and the file that is in its place now. */
export interface RestorableFile {
  readonly target: FileTarget;
  /** undefined: there was no file. */
  readonly old: RestorableContent | undefined;
}

export interface RestorableContent extends FileContent {
  readonly sha256: string;
  readonly owner: { readonly uid: number; readonly gid: number };
  /** See FileFacts: its owner must gain nothing by this program. */
  readonly foreign: boolean;
}

/**
 * Bringing a backup back is a change like any other. A file that holds what it held is left alone.
 * @throws KubepkiError no-permission
 */
export function rollBack(files: readonly RestorableFile[]): ChangeSet {
  return files.filter(isOther).map((file) => ({
    target: file.target,
    after: file.old && { content: file.old.content, ...ownershipOf(file.old), ...takenOver(file) },
  }));
}

/** A warning for each file that stays with the owner it has now. */
export function ownerWarnings(files: readonly RestorableFile[]): string[] {
  return files.filter(isOther).flatMap((file) => {
    const now = takenOver(file);
    if (now === undefined) return [];
    const [stays, belonged] = [String(now.owner.uid), String(file.old?.owner.uid)];
    return [`${file.target.path}: stays with uid ${stays}; it belonged to uid ${belonged} then`];
  });
}

/** Whether the file holds something else than it held. */
function isOther({ target, old }: RestorableFile): boolean {
  return target.before?.sha256 !== old?.sha256;
}

type Ownership = Pick<RestorableContent, 'mode' | 'owner'>;

function ownershipOf({ mode, owner }: Ownership): Ownership {
  return { mode, owner };
}

/**
 * A file that root has taken from a foreign owner since is not given back: that owner would gain it. Its mode is as strict as
 * each of the two.
 * @throws KubepkiError no-permission where another foreign owner has the file now, and would be given the first one's
 */
function takenOver({ target: { path, before }, old }: RestorableFile): Ownership | undefined {
  if (before === undefined || old?.foreign !== true || before.uid === old.owner.uid) return undefined;
  if (before.foreign) {
    throw new KubepkiError(
      'no-permission',
      `belongs to uid ${String(before.uid)}, who would be given what was uid ${String(old.owner.uid)}'s`,
      { file: path, hint: 'find out who has put it there, and move it away' },
    );
  }
  return { mode: before.mode & old.mode, owner: { uid: before.uid, gid: before.gid } };
}

/**
 * A CA or a service-account key that the change made is removed only with `--force`; one that the change
 * removed comes back; none is replaced by another. A CA that was renewed with its key is no other.
 * @param options.allowed files of which this is known to be well: paths without symlinks
 * @throws KubepkiError conflict
 */
export function requireAuthoritiesKept(
  all: ChangeSet,
  inventory: Inventory,
  {
    force,
    allowed = new Set(),
  }: { readonly force: boolean; readonly allowed?: ReadonlySet<string> | undefined },
): void {
  const changes = all.filter(({ target }) => !allowed.has(target.resolvedPath));
  const made = changes.find(
    ({ target, after }) => after === undefined && inventory.protectedPaths.has(target.resolvedPath),
  );
  if (made !== undefined && !force) {
    throw new KubepkiError('conflict', 'was made by that change, and would be taken away', {
      file: made.target.path,
      hint: 'if that is what you want (a backup is kept): --force',
    });
  }
  requireReplaceable(
    inventory,
    changes.flatMap(({ target, after }) =>
      after === undefined || target.before === undefined || holdsSameAuthorities(target, after, inventory)
        ? []
        : [target],
    ),
  );
}

/** Whether a CA's file would have a certificate of the same CA in the place of each that it has now. */
function holdsSameAuthorities(
  { resolvedPath }: FileTarget,
  { content }: FileContent,
  { authorities }: Inventory,
): boolean {
  const entry = authorities.find(({ file }) => file?.resolvedPath === resolvedPath);
  const now = entry?.bundle.status === 'present' ? entry.bundle.value : undefined;
  const then = whenReadable(() => parseCertificates(content));
  if (now === undefined || then?.length !== now.length) return false;
  return then.every((one, index) => {
    const other = now[index];
    return other !== undefined && isReissueOf(one, other);
  });
}

/** The records in the backup of the rollback itself: the certificates of now, and those that come back. */
export function rollbackRecords(
  records: readonly CertificateRecord[],
  inventory: Inventory,
): CertificateRecord[] {
  return records.map((record) => {
    const entry = inventory.certificates.find(({ spec }) => spec.name === record.name);
    const now = entry?.state.status === 'present' ? factsOf(entry.state.value.chain[0]) : undefined;
    return { name: record.name, old: now ?? authorityNow(record, inventory), new: record.old };
  });
}

/** Of several certificates in a CA's file the one that the change was about, else the first. */
function authorityNow(
  { name, old, new: next }: CertificateRecord,
  { authorities }: Inventory,
): CertificateFacts | undefined {
  const entry = authorities.find(({ spec }) => spec.name === name);
  if (entry?.bundle.status !== 'present') return undefined;
  const facts = entry.bundle.value.map(factsOf);
  const about = [next, old].flatMap((one) => facts.filter((found) => found.fingerprint === one?.fingerprint));
  return about[0] ?? facts[0];
}

/**
 * Without `--force` a rollback brings no certificate back that has expired, or that another CA has signed than those on disk now.
 * @param backup its path, for the error
 * @throws KubepkiError no-backup
 */
export function requireUsable(
  records: readonly CertificateRecord[],
  files: readonly RestorableFile[],
  { inventory, now, backup }: { readonly inventory: Inventory; readonly now: Date; readonly backup: string },
): void {
  const expired = records.filter(({ old }) => old !== undefined && Date.parse(old.notAfter) < now.getTime());
  const foreign = foreignFiles(files, inventory);
  const reasons = [
    ...(expired.length === 0 ? [] : [`expired certificates: ${expired.map(({ name }) => name).join(', ')}`]),
    ...(foreign.length === 0 ? [] : [`certificates of another CA than those on disk: ${foreign.join(', ')}`]),
  ];
  if (reasons.length === 0) return;
  throw new KubepkiError('no-backup', `would bring back ${reasons.join(', and ')}`, {
    file: backup,
    hint: 'if that is what you want: --force',
  });
}

function foreignFiles(files: readonly RestorableFile[], inventory: Inventory): string[] {
  const bundles = inventory.authorities.flatMap(({ bundle }) =>
    bundle.status === 'present' ? [bundle.value] : [],
  );
  return files
    .filter(({ old, target }) => {
      // A user's own file may be of several clusters.
      if (target.yields === true) return false;
      const chain = old === undefined ? undefined : chainIn(old.content);
      return chain !== undefined && !bundles.some((bundle) => chainsTo(chain, bundle));
    })
    .map(({ target }) => target.path);
}

/** The certificate in a file or in a kubeconfig; undefined for a key, and for a file that was unreadable before. */
function chainIn(content: Buffer): Chain | undefined {
  const text = content.toString('utf8');
  if (text.startsWith('-----BEGIN CERTIFICATE')) return whenReadable(() => parseCertificates(content));
  if (text.includes('PRIVATE KEY-----')) return undefined;
  return whenReadable(() => {
    const { clientCertificate } = readKubeconfig(text);
    return clientCertificate.kind === 'data' ? parseCertificates(clientCertificate.bytes) : undefined;
  });
}

function whenReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KubepkiError) return undefined;
    throw error;
  }
}

interface RollbackFacts {
  /** The backup that is brought back. */
  readonly restored: string;
  /** `old` is the certificate of now, `new` the one that comes back. */
  readonly records: readonly CertificateRecord[];
  readonly changes: ChangeSet;
  /** The names of the certificates, by the paths of their files without symlinks. */
  readonly owners: ReadonlyMap<string, string>;
}

export function rollbackReport(
  { restored, records, changes, owners }: RollbackFacts,
  stage: ChangeStage,
): ChangeReport {
  const ownerOf = ({ target }: ChangeSet[number]): string | undefined => owners.get(target.resolvedPath);
  const certificates = records.map(({ name, old, new: next }): CertificateReport => {
    const common = { name, components: usersOfNamed(name), old };
    const files = changes.filter((change) => ownerOf(change) === name).map(({ target }) => target.path);
    return files.length > 0 || old?.fingerprint !== next?.fingerprint
      ? { ...common, outcome: 'rolled-back', new: next, files }
      : { ...common, outcome: 'unchanged', reason: 'it is as it was then' };
  });
  const names = new Set(records.map(({ name }) => name));
  return {
    command: 'rollback',
    ...stageOf(stage),
    restored,
    certificates,
    otherFiles: changes
      .filter((change) => !names.has(ownerOf(change) ?? ''))
      .map(({ target }) => target.path),
  };
}
