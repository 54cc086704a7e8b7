import assert from 'node:assert/strict';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FileSystemRoot } from '../../src/filesystem/root.ts';
import { passphraseFor } from '../../src/terminal/passphrase.ts';
import { collecting } from '../support/collecting.ts';
import { mayChown } from '../support/root.ts';
import { terminal, type Screen } from '../support/screen.ts';
import { temporaryDirectory } from '../support/tree.ts';

const script = fileURLToPath(new URL('asking.ts', import.meta.url));
const nobody = collecting().open();

function asking(t: TestContext, kind: 'new' | 'known'): Screen | undefined {
  return terminal(t, `'${execPath}' --import tsx '${script}' ${kind}; stty -a | grep -o '[-]*echo\\b'`);
}

/** Types an answer, key by key as tmux names them, when its question is there. */
async function answer(screen: Screen, question: RegExp, ...keys: readonly string[]): Promise<void> {
  await screen.wrote(question);
  for (const key of keys) screen.type(key);
}

const first = /Passphrase of the keys: /;
const again = /The same again: /;
const typed = 'correct-horse';

describe('a passphrase that is typed', () => {
  test('is asked for twice when it is new, and never shown', async (t) => {
    const screen = asking(t, 'new');
    if (screen === undefined) return;
    await answer(screen, first, typed, 'Enter');
    await answer(screen, again, typed, 'Enter');
    const all = await screen.wrote(/got ".*"[^]*exit=/);
    // Once, by the script at its end.
    assert.equal(all.split(typed).length, 2);
    assert.match(all, /got "correct-horse"/);
    assert.match(all, /\necho\b/, 'what is typed is shown again');
  });

  test('is asked for once when it is known, with the keys that mend it', async (t) => {
    const screen = asking(t, 'known');
    if (screen === undefined) return;
    await answer(screen, first, 'wrong', 'C-u', 'pässq', 'BSpace', 'Left', 'C-a', 'Enter');
    await screen.wrote(/got "päss"[^]*exit=/);
  });

  for (const [what, keys, expected] of [
    ['too short', ['eleven-char', 'Enter'], /usage: the passphrase has fewer than 12 characters/],
    ['not given', ['C-d'], /declined: no passphrase was given/],
  ] as const) {
    test(`${what} is an error`, async (t) => {
      const screen = asking(t, 'new');
      if (screen === undefined) return;
      await answer(screen, first, ...keys);
      await screen.wrote(expected);
      assert.match(await screen.wrote(/exit=/), /\necho\b/);
    });
  }

  test('not the same twice is an error', async (t) => {
    const screen = asking(t, 'new');
    if (screen === undefined) return;
    await answer(screen, first, typed, 'Enter');
    await answer(screen, again, 'correct-house', 'Enter');
    await screen.wrote(/declined: the passphrase was not typed the same twice/);
  });

  test('can be interrupted', async (t) => {
    const screen = asking(t, 'new');
    if (screen === undefined) return;
    await answer(screen, first, 'correct', 'C-c');
    assert.match(await screen.wrote(/interrupted: nothing was changed[^]*exit=/), /\necho\b/);
  });

  test('cannot be asked for where nobody is', async () => {
    const asked = { file: undefined, root: FileSystemRoot.open(undefined, '/'), of: 'the keys', isNew: true };
    await assert.rejects(passphraseFor(asked, nobody), { code: 'usage', hint: /--passphrase-file FILE/ });
  });
});

describe('a passphrase in a file', () => {
  async function readFrom(
    t: TestContext,
    content: string | Buffer,
    {
      isNew = true,
      prepare = (): void => undefined,
    }: { isNew?: boolean; prepare?: (path: string) => void } = {},
  ): Promise<string> {
    const directory = temporaryDirectory(t);
    const path = join(directory, 'passphrase');
    writeFileSync(path, content, { mode: 0o600 });
    prepare(path);
    const root = FileSystemRoot.open(directory, '/');
    return passphraseFor({ file: '/passphrase', root, of: 'the keys', isNew }, nobody);
  }

  test('is its first line', async (t) => {
    assert.equal(await readFrom(t, 'correct horse battery\nmore\n'), 'correct horse battery');
    assert.equal(await readFrom(t, ' correct horse \r\n'), ' correct horse ');
    assert.equal(await readFrom(t, 'short', { isNew: false }), 'short');
  });

  test('is what was typed, whatever an editor has put before it', async (t) => {
    assert.equal(await readFrom(t, '\ufeffpässwörter sind gut\r\n'), 'pässwörter sind gut');
  });

  test('that is no text is refused, as all its bytes would be one character', async (t) => {
    const content = Buffer.concat([Buffer.alloc(20, 0xff), Buffer.from('\n')]);
    await assert.rejects(readFrom(t, content), { code: 'usage', message: /no text/, file: /passphrase$/ });
  });

  test('that is empty or short is refused', async (t) => {
    for (const content of ['', '\nsecond line is long enough', 'eleven-char']) {
      await assert.rejects(readFrom(t, content), { code: 'usage', file: /passphrase$/ });
    }
    await assert.rejects(readFrom(t, '', { isNew: false }), { code: 'usage' });
  });

  for (const mode of [0o640, 0o604, 0o660, 0o610]) {
    test(`with the mode ${mode.toString(8)} is refused`, async (t) => {
      const prepare = (path: string): void => {
        chmodSync(path, mode);
      };
      await assert.rejects(readFrom(t, 'correct horse battery', { prepare }), {
        code: 'no-permission',
        hint: /chmod 600 /,
      });
    });
  }

  test('of another user is refused', async (t) => {
    if (!mayChown(t)) return;
    const prepare = (path: string): void => {
      chownSync(path, 65534, 65534);
    };
    await assert.rejects(readFrom(t, 'correct horse battery', { prepare }), {
      code: 'no-permission',
      message: /belongs to uid 65534/,
    });
  });

  test('that is not there is an error with its path', async (t) => {
    const root = FileSystemRoot.open(temporaryDirectory(t), '/');
    const asked = { file: '/nowhere', root, of: 'the keys', isNew: true };
    await assert.rejects(passphraseFor(asked, nobody), { code: 'not-found', file: /nowhere$/ });
  });
});
