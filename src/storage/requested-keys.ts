import { join } from 'node:path';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { replaceDurably } from './durable.ts';
import { isRecord, isText, parseJson } from './json-value.ts';
import { readOwn, type StateDirectory } from './state-directory.ts';

// A node has ten certificates; who asks again and again does not wait for the oldest any more.
const mostKept = 200;

function recordOf(state: StateDirectory): string {
  return join(state.path, 'requested-keys.json');
}

/**
 * The digests of the keys that requests were made with here, and that may still wait in a directory of another user's. A
 * record that cannot be used knows of none.
 * @throws KubepkiError no-permission, io
 */
export function readRequestedKeys(state: StateDirectory): ReadonlySet<string> {
  const path = recordOf(state);
  const file = readOwn(path);
  const stored = file && parseJson(file.bytes);
  const digests: readonly unknown[] = isRecord(stored) && Array.isArray(stored['keys']) ? stored['keys'] : [];
  return new Set(digests.filter(isText));
}

/** On disk when this returns. Under the lock, before the requests are made. @throws KubepkiError no-permission, io */
export function rememberRequestedKeys(state: StateDirectory, digests: readonly string[]): void {
  const all = [...new Set([...readRequestedKeys(state), ...digests])].slice(-mostKept);
  try {
    replaceDurably(
      recordOf(state),
      Buffer.from(`${JSON.stringify({ version: 1, keys: all }, undefined, 2)}\n`),
    );
  } catch (cause) {
    throw filesystemError(cause, recordOf(state));
  }
}
