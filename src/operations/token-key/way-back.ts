import type { ChangeSet, FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import { parsePrivateKey, publicKeyOf } from '../../pki/key/private-key.ts';
import { keyId, parsePublicKeys, type PublicKey } from '../../pki/key/public-key.ts';
import type { TokenCluster } from './cluster.ts';
import { knowCondition, noneSignsCondition, type Condition } from './conditions.ts';
import { isAmong, tokenKeyState, type TokenKeyFiles, type TokenKeyState } from './state.ts';

/** A rollback that takes a stage of a replacement of the service-account key back. */
export interface WayBack {
  /** The files that it may replace and remove, which no other rollback may: paths without symlinks. */
  readonly allowed: ReadonlySet<string>;
  /** The id of the key that signs again; undefined: the same goes on. */
  readonly signsAgain: string | undefined;
  /** The ids of the keys whose tokens this node will not take for good any more. */
  readonly dropped: readonly string[];
}

/**
 * Whether a rollback takes a stage back in such a way that the tokens of this node stay good: the key that signs then is one that the API
 * servers know now (they read sa.pub at their start), and is in the sa.pub that comes back, as is the key that signs now.
 * @returns undefined where it takes no stage back
 * @throws KubepkiError conflict where it is more than one stage
 */
export function wayBack(changes: ChangeSet, files: TokenKeyFiles): WayBack | undefined {
  const changeOf = ({ target }: { readonly target: FileTarget }): ChangeSet[number] | undefined =>
    changes.find((one) => one.target.resolvedPath === target.resolvedPath);
  const own = [files.key, files.publicKeys, files.next, files.old].flatMap((slot) => changeOf(slot) ?? []);
  const replaced = [changeOf(files.key), changeOf(files.publicKeys)].flatMap((one) => one ?? []);
  const isReplacing = replaced.every(
    ({ target, after }) => target.before !== undefined && after !== undefined,
  );
  if (replaced.length === 0 || !isReplacing) return undefined;
  const isOfStage = own.length > replaced.length;
  const now = readable(() => tokenKeyState(files));
  const signing = keyAfter(changeOf(files.key)) ?? now?.signing;
  const known = keysAfter(changeOf(files.publicKeys)) ?? now?.known;
  if (now === undefined || signing === undefined || known === undefined) return undefined;
  if (!staysGood(now, { signing, known })) {
    // No stage of ours: whoever made that change, keys are not replaced by a rollback.
    if (!isOfStage) return undefined;
    throw new KubepkiError(
      'conflict',
      'would bring back a key whose tokens the API servers refuse now, or refuse those of this one',
      {
        file: files.key.target.path,
        hint: 'take one stage back at a time, the last one first: kubepki certs rollback, without an ID',
      },
    );
  }
  const signsAgain = keyId(signing);
  return {
    allowed: new Set(own.map(({ target }) => target.resolvedPath)),
    signsAgain: signsAgain === keyId(now.signing) ? undefined : signsAgain,
    dropped: now.known.filter((key) => !isAmong(known, key)).map(keyId),
  };
}

function staysGood(
  now: Pick<TokenKeyState, 'signing' | 'known'>,
  then: { readonly signing: PublicKey; readonly known: readonly PublicKey[] },
): boolean {
  return (
    isAmong(now.known, then.signing) && isAmong(then.known, then.signing) && isAmong(then.known, now.signing)
  );
}

/** What the other nodes must be like, as the cluster says. */
export function wayBackConditions(
  { signsAgain, dropped }: WayBack,
  cluster: TokenCluster | undefined,
): readonly Condition[] {
  return [
    ...(signsAgain === undefined ? [] : [knowCondition(cluster, signsAgain)]),
    ...(dropped.length === 0 ? [] : [noneSignsCondition(cluster, dropped)]),
  ];
}

function keyAfter(change: ChangeSet[number] | undefined): PublicKey | undefined {
  const content = change?.after?.content;
  return content && readable(() => publicKeyOf(parsePrivateKey(content)));
}

function keysAfter(change: ChangeSet[number] | undefined): readonly PublicKey[] | undefined {
  const content = change?.after?.content;
  return content && readable(() => parsePublicKeys(content));
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KubepkiError) return undefined;
    throw error;
  }
}
