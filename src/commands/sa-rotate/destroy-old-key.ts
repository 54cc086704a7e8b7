import { changeDocument } from '../../render/change/change-document.ts';
import { destroyedLines } from '../../render/change/token-key.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { oldTokenKey } from '../../filesystem/own-names.ts';
import { underLock } from '../../change/session.ts';
import { noteWaiting, stateOf } from '../../node/waiting.ts';
import { readTokenKeyNode } from '../../node/token-keys.ts';
import type { Node } from '../../node/node-options.ts';
import type { TokenCluster } from '../../operations/token-key/cluster.ts';
import { goneConditions } from '../../operations/token-key/conditions.ts';
import { tokenKeyState, type TokenKeyFiles } from '../../operations/token-key/state.ts';
import { tokenKeyReport } from '../../operations/token-key/report.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { keyId, parsePublicKeys } from '../../pki/key/public-key.ts';
import { destroyKept, findKept, type KeptKey } from '../../storage/destroy-key.ts';
import type { StateDirectory } from '../../storage/state-directory.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { weigh } from './weigh.ts';
import type { SaRotateOptions } from './sa-rotate-options.ts';

/**
 * Destroys a key that no API server knows any more, wherever we have kept it. Its id was typed: it is the one thing that brings nothing
 * back. A run that was killed is made again.
 */
export async function destroyOldKey(
  node: Node,
  id: string,
  { cluster, options }: { readonly cluster: TokenCluster | undefined; readonly options: SaRotateOptions },
  terminal: Terminal,
): Promise<ExitCode> {
  const dryRun = options.dryRun === true;
  const run = (state: StateDirectory): ExitCode => {
    const { files } = readTokenKeyNode(node);
    requireUnused(files, id);
    const conditions = goneConditions({ cluster, now: new Date() }, id);
    const again = `sa rotate finish --destroy-old-key ${id}`;
    const { errors, onRefusal } = weigh(conditions, options, { node, command: again, terminal });
    for (const error of errors) terminal.error(error);
    if (errors.length > 0) {
      onRefusal();
      return exitCodes.error;
    }
    const kept = findKept(state, oldTokenKey, (bytes) => isKeyOf(bytes, id));
    if (kept.file === undefined && kept.backups.length === 0) {
      throw new KubepkiError('not-found', `no key of the id ${id} is kept here`, {
        file: state.path,
        hint: `see which there are: ${commandLine(node.flags)('sa status')}`,
      });
    }
    if (!dryRun) destroyKept(state, kept);
    say(files, kept, id, { options, terminal });
    return exitCodes.done;
  };
  if (!dryRun) return underLock(node, options, terminal, (state) => Promise.resolve(run(state)));
  await noteWaiting(node, terminal);
  return run(stateOf(node));
}

function requireUnused(files: TokenKeyFiles, id: string): void {
  const { stage, signing, known, next } = tokenKeyState(files);
  const used = [signing, ...known, ...(next === undefined ? [] : [publicKeyOf(next)])].some(
    (key) => keyId(key) === id,
  );
  if (!used && stage !== 'switch') return;
  throw new KubepkiError(
    'in-use',
    used ? `holds the key ${id}, which is in use` : 'takes tokens of the old key for good still',
    {
      file: files.publicKeys.target.path,
      hint: 'first, on every control-plane node: kubepki sa rotate finish --restart',
    },
  );
}

/** Or its public half: a backup must not bring back that its tokens are taken for good. */
function isKeyOf(bytes: Buffer, id: string): boolean {
  try {
    return parsePublicKeys(bytes).some((key) => keyId(key) === id);
  } catch (error) {
    // Most files of a backup are something else.
    if (error instanceof KubepkiError) return false;
    throw error;
  }
}

function say(
  files: TokenKeyFiles,
  { file, backups }: KeptKey,
  id: string,
  { options, terminal }: { readonly options: SaRotateOptions; readonly terminal: Terminal },
): void {
  const { output } = options;
  const dryRun = options.dryRun === true;
  const removed = { changes: [], certificates: [] };
  const stage = dryRun
    ? ({ kind: 'planned', change: removed } as const)
    : ({ kind: 'made', backup: undefined, change: removed } as const);
  const report = {
    ...tokenKeyReport('finish', files, undefined, stage),
    otherFiles: [...(file === undefined ? [] : [file]), ...backups],
  };
  terminal.result(
    output === 'text'
      ? destroyedLines({ id, file, backups }, { dryRun })
      : changeDocument(report, [], output),
  );
}
