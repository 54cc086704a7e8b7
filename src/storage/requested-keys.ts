import { join } from 'node:path';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { removeIfThere, replaceDurably } from './durable.ts';
import { isRecord, isText, parseJson } from './json-value.ts';
import { readOwn, type StateDirectory } from './state-directory.ts';

// A node has ten certificates; who asks again and again does not wait for the oldest any more.
const mostKept = 200;

/** What a request was made for, and with which key. */
interface RequestedKey {
  /** The certificate's, as a user types it. */
  readonly name: string;
  /** Of the public key, hex. */
  readonly digest: string;
}

function recordOf(state: StateDirectory): string {
  return join(state.path, 'requested-keys.json');
}

/**
 * The keys that requests were made with here, and that may still wait in a directory of another user's. A record that cannot be
 * used knows of none.
 * @throws KubepkiError no-permission, io
 */
export function readRequestedKeys(state: StateDirectory): readonly RequestedKey[] {
  const file = readOwn(recordOf(state));
  const stored = file && parseJson(file.bytes);
  const keys: readonly unknown[] = isRecord(stored) && Array.isArray(stored['keys']) ? stored['keys'] : [];
  return keys.filter(isRequestedKey);
}

/** On disk when this returns. Under the lock, before the requests are made. @throws KubepkiError no-permission, io */
export function rememberRequestedKeys(state: StateDirectory, made: readonly RequestedKey[]): void {
  const keys = [...readRequestedKeys(state), ...made].slice(-mostKept);
  try {
    replaceDurably(recordOf(state), Buffer.from(`${JSON.stringify({ version: 1, keys }, undefined, 2)}\n`));
  } catch (cause) {
    throw filesystemError(cause, recordOf(state));
  }
}

/** What a run that was killed while it wrote the record has left. Throws what node:fs throws. */
export function removeHalfWrittenKeys(state: StateDirectory): void {
  removeIfThere(`${recordOf(state)}.new`);
}

function isRequestedKey(value: unknown): value is RequestedKey {
  return isRecord(value) && isText(value['name']) && isText(value['digest']);
}
