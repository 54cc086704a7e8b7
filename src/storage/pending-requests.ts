import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { errnoOf, filesystemError, onFile } from '../filesystem/filesystem-error.ts';
import { createDurably, removeIfThere, syncDirectory } from './durable.ts';
import { list, location, matching, numberIn, object, readRecord, text, writeRecord } from './record.ts';
import { createStateDirectory, removeIfEmpty, type StateDirectory } from './state-directory.ts';

/** A request to the certificates API, whose key waits beside this record. */
export interface PendingRequest {
  /** The name of the CertificateSigningRequest; its key is in `<name>.key`. */
  readonly name: string;
  /** Name in the catalog. */
  readonly certificate: string;
  /** The request in PEM. */
  readonly request: string;
  readonly usages: readonly string[];
  readonly expirationSeconds: number;
  /** Fingerprint of the certificate in use that is to be replaced. */
  readonly replaces: string;
}

/** The requests of one run, whose certificates are put in place together. */
export interface PendingRequests {
  /** The directory of its kubeconfigs, without symlinks: a host path here, a stored one on disk. */
  readonly kubeconfigDir: string;
  readonly signerName: string;
  /** The command line that asked. */
  readonly command: string;
  readonly requests: readonly PendingRequest[];
}

const requestsRecord = object<PendingRequests>({
  kubeconfigDir: location,
  signerName: text,
  command: text,
  requests: list(
    object<PendingRequest>({
      // It becomes a file name.
      name: matching(/^kubepki-[a-z0-9-]+$/),
      certificate: text,
      request: text,
      usages: list(text),
      expirationSeconds: numberIn(-Infinity, Infinity, { fractions: true }),
      replaces: text,
    }),
    { min: 1 },
  ),
});

export function pendingRequestsDirectory(state: StateDirectory): string {
  return join(state.path, 'pending');
}

export function pendingKeyPath(state: StateDirectory, name: string): string {
  return join(pendingRequestsDirectory(state), `${name}.key`);
}

/** The file is there while requests wait. */
export function pendingRecordPath(state: StateDirectory): string {
  return join(pendingRequestsDirectory(state), 'requests.json');
}

/**
 * On disk when this returns, all 0600: the keys first, then the record. Nothing is asked of the cluster before, so keys
 * without a record are of a run that was killed before it could ask for anything, and are removed. Under the lock.
 * @throws KubepkiError no-permission, io
 */
export function writePendingRequests(
  state: StateDirectory,
  pending: PendingRequests,
  keys: readonly { readonly name: string; readonly key: string }[],
): void {
  const directory = pendingRequestsDirectory(state);
  createStateDirectory(state.path);
  createStateDirectory(directory);
  onFile(directory, () => {
    removeKeys(directory);
    for (const { name, key } of keys) {
      createDurably(pendingKeyPath(state, name), Buffer.from(key), { mode: 0o600, owner: undefined });
    }
    syncDirectory(directory);
    writeRecord(state, pendingRecordPath(state), requestsRecord, pending);
  });
}

/**
 * @returns undefined when no requests wait
 * @throws KubepkiError unfinished for a record that cannot be used; no-permission, io
 */
export function readPendingRequests(state: StateDirectory): PendingRequests | undefined {
  const record = readRecord(state, pendingRecordPath(state), requestsRecord, {
    code: 'unfinished',
    problem: 'is no record of requests that kubepki understands',
    hint: 'if nothing is to come of it, move the directory away',
  });
  if (record instanceof KubepkiError) throw record;
  return record?.locate('renew --use-api --resume');
}

/**
 * The record first: a run that is killed in between leaves keys without a record.
 * @throws KubepkiError no-permission, io
 */
export function dropPendingRequests(state: StateDirectory): void {
  const directory = pendingRequestsDirectory(state);
  try {
    removeIfThere(pendingRecordPath(state));
    syncDirectory(directory);
    removeKeys(directory);
    removeIfEmpty(directory);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return;
    throw filesystemError(cause, directory);
  }
}

/** Removes our own keys and no other file. */
function removeKeys(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (/^kubepki-.*\.key$/.test(name) || name === 'requests.json.new') removeIfThere(join(directory, name));
  }
}
