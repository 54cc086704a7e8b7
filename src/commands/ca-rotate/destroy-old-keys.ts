import { underLock } from '../../change/session.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Node } from '../../node/node-options.ts';
import { requireRotation } from '../../node/rotation.ts';
import { parsePrivateKey, publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey, type SubjectKey } from '../../pki/key/public-key.ts';
import { destroyRotation } from '../../storage/destroy-key.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { RotateOptions } from './rotate-options.ts';

/**
 * The end of a rotation: the old keys are destroyed, with the backups that hold them. Its id was typed for that, as it is the one thing
 * that nothing brings back. A run that was killed in it is made again.
 */
export async function destroyOldKeys(
  node: Node,
  options: RotateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { plan, authorities } = requireRotation(node);
  // The document of the stage stays alone on stdout.
  const say = (text: string): void => {
    if (options.output === 'text') terminal.result(`${text}\n`);
    else terminal.note(text);
  };
  const again = commandLine(node.flags)(`ca rotate finish --destroy-old-key ${plan.id}`);
  if (options.destroyOldKey === undefined) {
    terminal.note('the old keys are kept on this node still, and so is the way back in its backups');
    terminal.hint(`to destroy them, on every control plane: ${again}`);
    return exitCodes.done;
  }
  if (options.destroyOldKey !== plan.id) {
    terminal.error(
      new KubepkiError('usage', `${options.destroyOldKey} is not the id of this rotation`, {
        hint: `if the old keys are to be destroyed: ${again}`,
      }),
    );
    return exitCodes.error;
  }
  if (options.dryRun === true) {
    say('the old keys would be destroyed, with the backups that hold them');
    return exitCodes.done;
  }
  const old = authorities.map((one) => one.old.publicKey);
  return underLock(node, options, terminal, (state) => {
    const backups = destroyRotation(state, plan, (bytes) => isKeyOf(bytes, old));
    say('the old keys are destroyed, and the rotation is over');
    if (backups.length > 0) terminal.note(`gone with them are the backups ${backups.join(', ')}`);
    return Promise.resolve(exitCodes.done);
  });
}

/** Most files of a backup are something else. */
function isKeyOf(bytes: Buffer, keys: readonly SubjectKey[]): boolean {
  try {
    const found = publicKeyOf(parsePrivateKey(bytes));
    return keys.some((one) => isSameKey(one, found));
  } catch (error) {
    if (error instanceof KubepkiError) return false;
    throw error;
  }
}
