import { join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { onFile } from '../filesystem/filesystem-error.ts';
import { list, object, readRecord, removeHalfWritten, text, writeRecord } from './record.ts';
import type { StateDirectory } from './state-directory.ts';

// A node has ten certificates. After so many requests the oldest ones are not waited for any more.
const mostKept = 200;

interface RequestedKey {
  /** The certificate's, as a user types it. */
  readonly name: string;
  /** SHA-256 of the public key, hex. */
  readonly digest: string;
}

const keysRecord = object<{ readonly keys: readonly RequestedKey[] }>({
  keys: list(object<RequestedKey>({ name: text, digest: text })),
});

function recordPath(state: StateDirectory): string {
  return join(state.path, 'requested-keys.json');
}

/**
 * The keys that requests were made with here, and that may still wait in a directory of another user's. A record that cannot be
 * used knows of none.
 * @throws KubepkiError no-permission, io
 */
export function readRequestedKeys(state: StateDirectory): readonly RequestedKey[] {
  const record = readRecord(state, recordPath(state), keysRecord, {
    code: 'unfinished',
    problem: 'is no record of keys that kubepki understands',
  });
  return record === undefined || record instanceof KubepkiError ? [] : record.locate().keys;
}

/** On disk when this returns. Under the lock, before the requests are made. @throws KubepkiError no-permission, io */
export function rememberRequestedKeys(state: StateDirectory, made: readonly RequestedKey[]): void {
  const keys = [...readRequestedKeys(state), ...made].slice(-mostKept);
  const path = recordPath(state);
  onFile(path, () => {
    writeRecord(state, path, keysRecord, { keys });
  });
}

/** Throws what node:fs throws. */
export function removeHalfWrittenKeys(state: StateDirectory): void {
  removeHalfWritten(recordPath(state));
}
