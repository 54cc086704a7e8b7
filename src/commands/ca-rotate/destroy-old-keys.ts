import type { CaName } from '../../catalog/catalog.ts';
import { underLock } from '../../change/session.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Node } from '../../node/node-options.ts';
import { readRotatedFiles } from '../../node/rotation/rotated-files.ts';
import { requireRotation } from '../../node/rotation/rotation.ts';
import type { RotationPlan } from '../../operations/rotation/plan.ts';
import type { Rotation } from '../../operations/rotation/rotation.ts';
import { reached } from '../../operations/rotation/state.ts';
import { parsePrivateKey, publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey, type SubjectKey } from '../../pki/key/public-key.ts';
import { destroyRotation } from '../../storage/destroy-key.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { RotateOptions } from './rotate-options.ts';

/** The id is typed for what nothing brings back. @throws KubepkiError usage */
export function requireItsId({ plan }: Rotation, node: Node, { destroyOldKey }: RotateOptions): void {
  if (destroyOldKey === undefined || destroyOldKey === plan.id) return;
  throw new KubepkiError('usage', `${destroyOldKey} is not the id of this rotation`, {
    hint: `if the old keys are to be destroyed: ${destroying(node, plan)}`,
  });
}

/**
 * The end of a rotation: the old keys are destroyed, with the backups that hold them. A run that was killed in it is made again.
 */
export async function destroyOldKeys(
  node: Node,
  options: RotateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const rotation = requireRotation(node);
  const { plan, authorities } = rotation;
  // The document of the stage stays alone on stdout.
  const say = (text: string): void => {
    if (options.output === 'text') terminal.result(`${text}\n`);
    else terminal.note(text);
  };
  if (options.destroyOldKey === undefined) {
    terminal.note('the old keys are kept on this node still, and so is the way back in its backups');
    if (unfinished(node, rotation).length === 0) {
      terminal.hint(`to destroy them, on every control plane: ${destroying(node, plan)}`);
    }
    return exitCodes.done;
  }
  if (options.dryRun === true) {
    say('the old keys would be destroyed, with the backups that hold them');
    return exitCodes.done;
  }
  const old = authorities.map((one) => one.old.publicKey);
  return underLock(node, options, terminal, (state) => {
    requireFinished(node, rotation, []);
    const backups = destroyRotation(state, plan, (bytes) => isKeyOf(bytes, old));
    say('the old keys are destroyed, and the rotation is over');
    if (backups.length > 0) terminal.note(`gone with them are the backups ${backups.join(', ')}`);
    return Promise.resolve(exitCodes.done);
  });
}

/**
 * The keys of all CAs go at once, and with them the plan. Before it is finished, the new key of a CA is in no cert dir yet, or its old one is
 * the way back.
 * @param finishing what this run brings to `finish`
 * @throws KubepkiError conflict
 */
export function requireFinished(node: Node, rotation: Rotation, finishing: readonly CaName[]): void {
  const left = unfinished(node, rotation).filter((name) => !finishing.includes(name));
  if (left.length === 0) return;
  throw new KubepkiError(
    'conflict',
    `no key is destroyed before this node is at finish with ${left.join(', ')}`,
    {
      hint: `what is next: ${commandLine(node.flags)('ca rotate')}`,
    },
  );
}

function unfinished(node: Node, { authorities }: Rotation): CaName[] {
  const files = readRotatedFiles(node);
  return authorities
    .filter((one) => {
      const found = reached(one, files);
      return found.kind !== 'at' || found.last !== 'finish';
    })
    .map(({ name }) => name);
}

function destroying({ flags }: Node, { id }: RotationPlan): string {
  return commandLine(flags)(`ca rotate finish --destroy-old-key ${id}`);
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
