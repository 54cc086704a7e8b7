import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { openNode, readConfiguration } from '../../node/node-options.ts';
import { readTokenKeyFiles } from '../../node/token-keys.ts';
import { noteWaiting } from '../../node/waiting.ts';
import { otherKeyId } from '../../operations/token-key/progress.ts';
import { tokenKeyState } from '../../operations/token-key/state.ts';
import { encodePrivateKey } from '../../pki/key/private-key.ts';
import { sealKeys } from '../../pki/key/sealed-keys.ts';
import { requireNewFile, writeNewFile } from '../../storage/public-file.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { passphraseFor } from '../../terminal/passphrase.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { sealedName } from './brought-key.ts';
import type { SaRotateOptions } from './sa-rotate-options.ts';

/** Writes the next key, sealed with a passphrase, into a file for the other control-plane nodes. It changes nothing of this one. */
export async function exportKey(
  given: string | undefined,
  options: SaRotateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (given === undefined) {
    throw new KubepkiError('usage', 'export writes a file', { hint: 'kubepki sa rotate export FILE' });
  }
  if (options.output !== 'text') {
    throw new KubepkiError('usage', 'export prints no document', { hint: 'leave -o out' });
  }
  const node = openNode(options, await readConfiguration(options, terminal));
  await noteWaiting(node, terminal);
  const files = readTokenKeyFiles(node);
  const state = tokenKeyState(files);
  if (state.next === undefined) {
    throw new KubepkiError('not-found', 'no such file: this node has no next key', {
      file: files.next.target.path,
      hint: `where it is made: ${commandLine(node.flags)('sa rotate trust')}`,
    });
  }
  const { root } = node.layout;
  // Refused before a passphrase is asked for.
  requireNewFile(root, given);
  if (options.dryRun === true) {
    terminal.result(`${root.locate(given)} would be written (--dry-run)\n`);
    return exitCodes.done;
  }
  const { passphraseFile: file } = options;
  const passphrase = await passphraseFor({ file, root, of: 'the next key', isNew: true }, terminal);
  const sealed = await sealKeys([{ name: sealedName, pem: encodePrivateKey(state.next) }], passphrase);
  const path = writeNewFile(root, given, sealed, 0o600);
  terminal.result(`${path}: the next key ${otherKeyId(state) ?? ''}, sealed\n`);
  terminal.hint('on each other control-plane node: kubepki sa rotate trust --restart --key FILE');
  return exitCodes.done;
}
