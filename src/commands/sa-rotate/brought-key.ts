import { KubepkiError } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import { readFile } from '../../inventory/reading.ts';
import type { Node } from '../../node/node-options.ts';
import type { StageSettings } from '../../operations/token-key/plan-stage.ts';
import { parsePrivateKey, type PrivateKey } from '../../pki/key/private-key.ts';
import { isSealed, openSealedKeys } from '../../pki/key/sealed-keys.ts';
import { passphraseFor } from '../../terminal/passphrase.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { SaRotateOptions } from './sa-rotate-options.ts';

/** By this name the key is in a file of sealed keys. */
export const sealedName = 'next.key';

const whereItIs =
  'on the node that made the next key: kubepki sa rotate export FILE; or bring its .kubepki/token-key/next.key';

/**
 * The key that was brought from another node, sealed or plain.
 * @throws KubepkiError for a file that is not there or holds no private key, and for a passphrase that does not open it
 */
export async function broughtKey(
  { layout: { root } }: Node,
  { key, passphraseFile: file }: SaRotateOptions,
  terminal: Terminal,
): Promise<StageSettings['brought']> {
  if (key === undefined) return undefined;
  const path = root.locate(key);
  const { target, bytes } = readFile(root, path);
  if (bytes === undefined || target.before === undefined) {
    throw new KubepkiError('not-found', 'no such file', { file: path, hint: whereItIs });
  }
  const sealed = isSealed(bytes);
  // Its owner could have made it, and would sign tokens for anyone.
  if (!sealed && target.before.foreign) {
    throw new KubepkiError(
      'no-permission',
      `would be the next key, and belongs to uid ${String(target.before.uid)}, who knows it`,
      { file: path, hint: `if you have put it there, make it yours: chown root ${shellWord(path)}` },
    );
  }
  if (!sealed && (target.before.mode & 0o077) !== 0) {
    terminal.warning(`${path}: others than its owner may read this private key`);
    terminal.hint(`chmod 0600 ${shellWord(path)}`);
  }
  try {
    const passphrase = sealed
      ? await passphraseFor({ file, root, of: 'the next key', isNew: false }, terminal)
      : undefined;
    return { key: passphrase === undefined ? parsePrivateKey(bytes) : await opened(bytes, passphrase), path };
  } catch (error) {
    if (!(error instanceof KubepkiError) || error.file !== undefined) throw error;
    const { code, message, hint = whereItIs } = error;
    throw new KubepkiError(code, message, { file: path, hint, cause: error });
  }
}

async function opened(bytes: Buffer, passphrase: string): Promise<PrivateKey> {
  const keys = await openSealedKeys(bytes, passphrase);
  const [found, ...others] = keys.filter(({ name }) => name === sealedName);
  if (found !== undefined && others.length === 0) return parsePrivateKey(Buffer.from(found.pem));
  throw new KubepkiError('bad-key', 'holds other sealed keys than the next key of tokens');
}
