import { join } from 'node:path';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { removeIfThere } from './durable.ts';
import { list, object, readRecord, text, writeRecord } from './record.ts';
import type { StateDirectory } from './state-directory.ts';

// A node has ten certificates; who asks again and again does not wait for the oldest any more.
const mostKept = 200;

/** What a request was made for, and with which key. */
interface RequestedKey {
  /** The certificate's, as a user types it. */
  readonly name: string;
  /** Of the public key, hex. */
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
  const record = readRecord(state, recordPath(state), keysRecord);
  return record !== undefined && 'locate' in record ? record.locate().keys : [];
}

/** On disk when this returns. Under the lock, before the requests are made. @throws KubepkiError no-permission, io */
export function rememberRequestedKeys(state: StateDirectory, made: readonly RequestedKey[]): void {
  const keys = [...readRequestedKeys(state), ...made].slice(-mostKept);
  try {
    writeRecord(state, recordPath(state), keysRecord, { keys });
  } catch (cause) {
    throw filesystemError(cause, recordPath(state));
  }
}

/** What a run that was killed while it wrote the record has left. Throws what node:fs throws. */
export function removeHalfWrittenKeys(state: StateDirectory): void {
  removeIfThere(`${recordPath(state)}.new`);
}
