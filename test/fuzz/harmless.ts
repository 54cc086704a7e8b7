import assert from 'node:assert/strict';
import { keyMaterial } from '../support/certificates/key-material.ts';

// Every twelfth piece of twelve characters: whatever quotes 23 characters of a key quotes one of them.
const pieceLength = 12;

/**
 * Looks in what is said to a user for what must never be there.
 * @param directories where the private keys are that must not show, or any piece of them
 */
export function harmlessnessOf(directories: readonly string[]): (text: string) => void {
  const pieces = new Set(directories.flatMap(keyMaterial).flatMap((line) => line.match(/.{12}/g) ?? []));
  assert.ok(pieces.size > 100, 'there are keys to look for');
  const holdsKey = (run: string): boolean =>
    Array.from({ length: run.length - pieceLength + 1 }, (_, index) =>
      run.slice(index, index + pieceLength),
    ).some((piece) => pieces.has(piece));
  return (text) => {
    requireNo(text, /internal error/, 'an internal error');
    requireNo(text, /\n\s+at /, 'a stack trace');
    requireNo(text, /PRIVATE KEY-----/, 'a private key');
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    requireNo(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/, 'a control character');
    const runs = text.match(/[A-Za-z0-9+/=]{12,}/g) ?? [];
    assert.ok(!runs.some(holdsKey), 'a piece of a private key is shown');
  };
}

function requireNo(text: string, pattern: RegExp, what: string): void {
  const index = text.search(pattern);
  if (index < 0) return;
  const line = text.slice(text.lastIndexOf('\n', index) + 1).split('\n', 1);
  assert.fail(`${what} is shown: ${JSON.stringify(line[0])}`);
}
