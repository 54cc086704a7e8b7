import type { TokenKeyFile } from '../../catalog/init-order.ts';
import { replaceFile, type ChangeSet, type FileChange, type FileTarget } from '../../changeset/change-set.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { encodePrivateKey, publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { encodePublicKey, isSameKey, keyId, type PublicKey } from '../../pki/key/public-key.ts';
import { distinct, isAmong, type TokenKeyFiles, type TokenKeyStage, type TokenKeyState } from './state.ts';

/** What a stage does to the files of a node. */
export interface StagePlan {
  readonly changes: ChangeSet;
  /** Of sa.key and sa.pub those that will hold something else. */
  readonly changed: readonly TokenKeyFile[];
  /** Where the node is afterwards. */
  readonly state: TokenKeyState;
}

export interface StageSettings {
  readonly command: CommandLine;
  /** The key that an operator has brought from another control-plane node; undefined: none. */
  readonly brought: { readonly key: PrivateKey; readonly path: string } | undefined;
}

/** The key that `trust` will announce: one that is there, or undefined where it must be made. @throws KubepkiError conflict */
export function knownNextKey(
  { stage, signing, next }: TokenKeyState,
  { next: slot }: TokenKeyFiles,
  { brought, command }: StageSettings,
): PrivateKey | undefined {
  if (brought === undefined) return next;
  const key = publicKeyOf(brought.key);
  if (isSameKey(key, signing)) {
    throw new KubepkiError('conflict', 'holds the key that signs already, and not the next one', {
      file: brought.path,
      hint: 'the next key is in .kubepki/token-key/next.key in the cert dir of the node that made it',
    });
  }
  if (next === undefined || isSameKey(key, publicKeyOf(next))) return brought.key;
  const next1 = keyId(publicKeyOf(next));
  throw new KubepkiError(
    'conflict',
    `holds the key ${keyId(key)}, and ${next1} is the next key of this node already`,
    {
      file: brought.path,
      hint:
        stage === 'trust'
          ? `all nodes must have the same; to give up that of this node: ${command('rollback')}, and then trust again`
          : `all nodes must have the same; to give up that of this node: mv ${slot.target.path} ${slot.target.path}.not-used`,
    },
  );
}

/**
 * What `trust` does: the API server will take tokens of the next key for good, and none is signed with it yet. On a node that trusts
 * already it does what is left.
 * @param next the key to announce
 * @throws KubepkiError
 */
export function planTrust(
  state: TokenKeyState,
  files: TokenKeyFiles,
  next: PrivateKey,
  { command }: Pick<StageSettings, 'command'>,
): StagePlan {
  const { stage, signing, known } = state;
  if (stage === 'switch' || stage === 'finish') throw tooLate(stage, files, command);
  const nextKey = publicKeyOf(next);
  // Kubeadm takes the first for the key that signs.
  const ordered = distinct([signing, ...known, nextKey]);
  return planned({ ...state, stage: 'trust', known: ordered, next }, files, [
    ...publicKeysAre(ordered, state, files),
    ...(state.next === undefined ? [keyIs(files.next.target, next)] : []),
  ]);
}

/** What `switch` does: the next key signs from now on. @throws KubepkiError */
export function planSwitch(
  state: TokenKeyState,
  files: TokenKeyFiles,
  { command }: Pick<StageSettings, 'command'>,
): StagePlan {
  const { stage, signing, known, next } = state;
  if (stage === 'none') throw tooEarly('switch', files, command);
  if (stage !== 'trust' || next === undefined) {
    const ordered = distinct([signing, ...known]);
    return planned({ ...state, known: ordered }, files, publicKeysAre(ordered, state, files));
  }
  const nextKey = publicKeyOf(next);
  const ordered = distinct([nextKey, ...known]);
  const old = oldKeyOf(files);
  return planned({ stage: 'switch', signing: nextKey, known: ordered, next: undefined, old }, files, [
    // The copy of the old key first: it is there as soon as sa.key is another.
    keyIs(files.old.target, old),
    replaceFile(files.key.target, encodePrivateKey(next), 0o600),
    ...publicKeysAre(ordered, state, files),
    { target: files.next.target, after: undefined },
  ]);
}

/** What `finish` does: tokens of the old key are refused. The key itself stays until it is destroyed. @throws KubepkiError */
export function planFinish(
  state: TokenKeyState,
  files: TokenKeyFiles,
  { command }: Pick<StageSettings, 'command'>,
): StagePlan {
  const { stage, known, old } = state;
  if (stage === 'none' || stage === 'trust') throw tooEarly('finish', files, command);
  const oldKey = old && publicKeyOf(old);
  const left = known.filter((key) => oldKey === undefined || !isSameKey(key, oldKey));
  return planned({ ...state, stage: 'finish', known: left }, files, publicKeysAre(left, state, files));
}

function oldKeyOf({ key }: TokenKeyFiles): PrivateKey {
  if (key.content.status !== 'present') throw new TypeError('a state was computed without sa.key');
  return key.content.value;
}

function publicKeysAre(
  keys: readonly PublicKey[],
  { known }: TokenKeyState,
  { publicKeys: { target } }: TokenKeyFiles,
): FileChange[] {
  const isSame =
    keys.length === known.length && keys.every((key, index) => isAmong(known.slice(index, index + 1), key));
  return isSame ? [] : [replaceFile(target, keys.map(encodePublicKey).join(''), 0o600)];
}

/** In the state directory every file is 0600 and ours, whatever the key's own file is. */
function keyIs(target: FileTarget, key: PrivateKey): FileChange {
  return { target, after: { content: Buffer.from(encodePrivateKey(key)), mode: 0o600, owner: undefined } };
}

function planned(state: TokenKeyState, { key, publicKeys }: TokenKeyFiles, changes: ChangeSet): StagePlan {
  const isChanged = ({ target }: { readonly target: FileTarget }): boolean =>
    changes.some((change) => change.target === target);
  return {
    changes,
    changed: [
      ...(isChanged(key) ? (['sa.key'] as const) : []),
      ...(isChanged(publicKeys) ? (['sa.pub'] as const) : []),
    ],
    state,
  };
}

function tooLate(stage: TokenKeyStage, { key, old }: TokenKeyFiles, command: CommandLine): KubepkiError {
  return stage === 'switch'
    ? new KubepkiError('conflict', 'is the next key already: this node has switched', {
        file: key.target.path,
        hint: `go on: ${command('sa rotate')}; to go back to trust: ${command('rollback --restart')}`,
      })
    : new KubepkiError('conflict', 'is there still, from a replacement that is finished', {
        file: old.target.path,
        hint: `destroy it before the next one: ${command('sa rotate finish --destroy-old-key KID')} (${command('sa status')} shows it)`,
      });
}

function tooEarly(to: TokenKeyStage, { publicKeys }: TokenKeyFiles, command: CommandLine): KubepkiError {
  return to === 'switch'
    ? new KubepkiError('conflict', 'holds no next key of this node: it has not trusted one yet', {
        file: publicKeys.target.path,
        hint: `first: ${command('sa rotate trust')}; with the key of another control-plane node where one has made it: --key FILE`,
      })
    : new KubepkiError(
        'conflict',
        'holds no key that this node has signed with before: it has not switched',
        {
          file: publicKeys.target.path,
          hint: `see where it is: ${command('sa rotate')}`,
        },
      );
}
