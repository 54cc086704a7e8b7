import { changeNode, type ChangeFlags, type PlannedRun } from '../../change/change-node.ts';
import { commandLine } from '../../errors/command-line.ts';
import { naming } from '../../errors/error.ts';
import { sha256 } from '../../filesystem/regular-file.ts';
import type { Typed } from '../../flags/table.ts';
import type { Node } from '../../node/node-options.ts';
import { rotationTarget } from '../../node/rotation/rotation.ts';
import { importHere, readGivenFile } from '../../node/rotation/transfer.ts';
import { requireWritten } from '../../operations/change/read-back.ts';
import { rotationReport } from '../../operations/rotation/rotation-report.ts';
import { openedKeys, type Transfer } from '../../operations/rotation/transfer.ts';
import { openSealedKeys } from '../../pki/key/sealed-keys.ts';
import { rotatedLines } from '../../render/rotation/rotated.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { passphraseFor } from '../../terminal/passphrase.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { readTransfer } from '../../transfer/transfer.ts';

type ImportOptions = ChangeFlags & Typed<'passphraseFile'>;

/** Brings the rotation of another control plane to this one. Nothing that is in use changes. */
export async function importFile(
  given: string,
  node: Node,
  options: ImportOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const path = node.layout.root.locate(given);
  const bytes = readGivenFile(node, given);
  terminal.note(`${path}: SHA-256 ${sha256(bytes)}`);
  const transfer = naming(path, () => readTransfer(bytes));
  // Refused before a passphrase is asked for.
  naming(path, () => importHere(node, transfer));
  const keys = await openKeys(path, transfer, node, options, terminal);
  const changesNow = (): ReturnType<typeof importHere> =>
    naming(path, () => importHere(node, transfer, keys));
  if (changesNow().length === 0) {
    terminal.result(`this node has the rotation ${transfer.plan.id} already\n`);
    return exitCodes.done;
  }
  const plan = (): PlannedRun => {
    const changes = changesNow();
    const { authorities } = transfer;
    return {
      now: new Date(),
      errors: [],
      names: [],
      make: () =>
        Promise.resolve({
          changes,
          signedBy: [],
          certificates: [],
          stage: 'prepare',
          verify: (read) => {
            requireWritten(changes, read);
          },
        }),
      report: (stage) =>
        rotationReport(
          {
            stage: 'prepare',
            authorities,
            renewables: [],
            filesOf: (name) =>
              new Set(
                (['old.crt', 'next.crt', 'cross.crt', 'next.key'] as const).map(
                  (part) => rotationTarget(node, `${name}.${part}`).path,
                ),
              ),
          },
          stage,
        ),
      text: (report) => rotatedLines('prepare', authorities, report),
      remarks: (report) => {
        if (report.dryRun) return;
        const command = commandLine(node.flags);
        if (keys === undefined) {
          terminal.warning(
            'the keys of the new CAs did not come with it: this node cannot switch without them',
          );
          terminal.hint('on the node that exports it: kubepki ca rotate export FILE --with-keys');
        }
        terminal.hint(`what is next: ${command('ca rotate')}`);
      },
    };
  };
  return changeNode(node, plan, options, terminal, { inUse: false });
}

async function openKeys(
  path: string,
  transfer: Transfer,
  { layout: { root } }: Node,
  { passphraseFile: file }: ImportOptions,
  terminal: Terminal,
): Promise<ReturnType<typeof openedKeys> | undefined> {
  const { sealedKeys } = transfer;
  if (sealedKeys === undefined) return undefined;
  const passphrase = await passphraseFor({ file, root, of: 'the keys', isNew: false }, terminal);
  const opened = await namingAsync(path, openSealedKeys(sealedKeys, passphrase));
  return naming(path, () => openedKeys(transfer, opened));
}

async function namingAsync<T>(file: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    return naming(file, () => {
      throw error;
    });
  }
}
