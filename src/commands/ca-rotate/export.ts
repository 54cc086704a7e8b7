import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { sha256 } from '../../filesystem/regular-file.ts';
import type { Typed } from '../../flags/table.ts';
import type { Node } from '../../node/node-options.ts';
import { requireRotation } from '../../node/rotation/rotation.ts';
import { exportHere, newKeysHere } from '../../node/rotation/transfer.ts';
import { noteWaiting } from '../../node/waiting.ts';
import type { Rotation } from '../../operations/rotation/rotation.ts';
import { keysToSeal } from '../../operations/rotation/transfer.ts';
import { sealKeys } from '../../pki/key/sealed-keys.ts';
import { requireNewFile, writeNewFile } from '../../storage/public-file.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { passphraseFor } from '../../terminal/passphrase.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { writeTransfer } from '../../transfer/transfer.ts';

type ExportOptions = Typed<'withKeys' | 'passphraseFile' | 'dryRun'>;

/** Writes the file that brings a rotation to other nodes. It changes nothing of this one. */
export async function exportFile(
  files: readonly string[],
  node: Node,
  options: ExportOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const [given, ...others] = files;
  if (given === undefined || others.length > 0) {
    throw new KubepkiError('usage', 'export writes one file', {
      hint: commandLine(node.flags)('ca rotate export FILE'),
    });
  }
  await noteWaiting(node, terminal);
  const rotation = requireRotation(node);
  // Refused before a passphrase is asked for.
  requireNewFile(node.layout.root, given);
  const sealedKeys =
    options.withKeys === true ? await sealHere(node, rotation, options, terminal) : undefined;
  const bytes = writeTransfer(exportHere(node, rotation, sealedKeys));
  if (options.dryRun === true) {
    terminal.result(`${node.layout.root.locate(given)} would be written (--dry-run)\n`);
    return exitCodes.done;
  }
  const path = writeNewFile(node.layout.root, given, bytes, sealedKeys === undefined ? 0o644 : 0o600);
  const keys = sealedKeys === undefined ? 'without keys' : 'with the keys of the new CAs, sealed';
  terminal.result(`${path}: the rotation ${rotation.plan.id}, ${keys}\nSHA-256 ${sha256(bytes)}\n`);
  return exitCodes.done;
}

async function sealHere(
  node: Node,
  rotation: Rotation,
  { passphraseFile: file }: ExportOptions,
  terminal: Terminal,
): Promise<Buffer> {
  const keys = keysToSeal(rotation.authorities, newKeysHere(node, rotation));
  const { root } = node.layout;
  return sealKeys(keys, await passphraseFor({ file, root, of: 'the keys', isNew: true }, terminal));
}
