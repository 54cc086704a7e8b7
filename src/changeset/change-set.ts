import { sha256, type FileFacts } from '../filesystem/regular-file.ts';

/** A file on disk that a change is made against. */
export interface FileTarget {
  /** The path as the operator would write it; for messages. */
  readonly path: string;
  /** The path without symlinks: this file is written, so that a link stays a link. */
  readonly resolvedPath: string;
  /** What was there when it was read; undefined: nothing. */
  readonly before: FileFacts | undefined;
  /** The kubeconfig whose text leads here; undefined: the path is kubeadm's own, or of the command line. */
  readonly namedBy?: Naming;
  /** A user's own file, which keeps no other from changing: what its owner makes of it meanwhile stays. */
  readonly yields?: true;
}

/** A file that says where another one is: the owner of the first decides what is written there. */
export interface Naming {
  readonly path: string;
  readonly uid: number;
  readonly foreign: boolean;
}

/** A CA that a change relies on: it signs, or is what is verified against and trusted. */
export interface SigningFiles {
  /** The file with its certificate, as it was read. */
  readonly certificate: FileTarget;
  /** What it signs, or is trusted for, goes into these. */
  readonly targets: readonly FileTarget[];
}

export interface FileContent {
  readonly content: Buffer;
  /** Permission bits. */
  readonly mode: number;
  /** undefined: the user who runs the command. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

export interface FileChange {
  readonly target: FileTarget;
  /** undefined: the file goes away. */
  readonly after: FileContent | undefined;
}

/** Files that change together, all or none. Plain data: an operation makes it, storage commits it. */
export type ChangeSet = readonly FileChange[];

/** A backup's record of one certificate, old and new. Serial and fingerprint are in upper-case hex. */
export interface CertificateRecord {
  readonly name: string;
  readonly old: CertificateFacts | undefined;
  readonly new: CertificateFacts | undefined;
}

export interface CertificateFacts {
  readonly serial: string;
  /** SHA-256 of the DER. */
  readonly fingerprint: string;
  /** RFC 3339, UTC, whole seconds. */
  readonly notAfter: string;
}

/**
 * A change that keeps the mode and the owner of a file that exists.
 * @param newMode for a file that does not exist yet
 */
export function replaceFile(
  target: FileTarget,
  content: string | Buffer,
  newMode: 0o600 | 0o644,
): FileChange {
  const { before } = target;
  return {
    target,
    after: {
      content: typeof content === 'string' ? Buffer.from(content) : content,
      mode: before?.mode ?? newMode,
      owner: before === undefined ? undefined : { uid: before.uid, gid: before.gid },
    },
  };
}

/** The changes after which a file holds something else, or is gone: a file may be replaced by what it was. */
export function realChanges(changes: ChangeSet): ChangeSet {
  return changes.filter(({ target, after }) => target.before?.sha256 !== (after && sha256(after.content)));
}
