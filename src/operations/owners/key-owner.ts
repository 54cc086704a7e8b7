import type { FileTarget } from '../../changeset/change-set.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { keyDigest } from '../../pki/key/public-key.ts';
import { publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import type { CertificateSpec } from '../../catalog/catalog.ts';

/** What decides whether a key that waits in a file is our own. */
export interface KeySettings {
  /** The certificates for which requests were made here, each with the digest of its key. */
  readonly requestedKeys: readonly { readonly name: string; readonly digest: string }[];
  readonly command: CommandLine;
}

interface WaitingKey {
  readonly key: PrivateKey;
  readonly keyFile: FileTarget;
  /** Another user decides which file is at that path. */
  readonly isInReach: boolean;
}

/**
 * Where another user decides which file has which name, a key that waits is taken only if it was made here for this very
 * certificate, or if all files that it goes into are the same user's. Otherwise that user would know the key of another
 * owner's certificate, or would be handed one.
 * @param targets the files that the key goes into
 * @throws KubepkiError no-permission
 */
export function requireOwnKey(
  spec: CertificateSpec,
  { key, keyFile, isInReach }: WaitingKey,
  targets: readonly FileTarget[],
  { requestedKeys, command }: KeySettings,
): void {
  if (!isInReach) return;
  const digest = keyDigest(publicKeyOf(key));
  if (requestedKeys.some((one) => one.name === spec.name && one.digest === digest)) return;
  const { path, before } = keyFile;
  const isAllTheirs =
    before?.foreign === true &&
    targets.length > 0 &&
    targets.every((target) => target.before?.uid === before.uid);
  if (isAllTheirs) return;
  const whose =
    before?.foreign === true
      ? `belongs to uid ${String(before.uid)}`
      : 'is where another user decides which file has this name';
  const message = `${whose}, and is not the key that a request for ${spec.name} was made with here`;
  throw new KubepkiError('no-permission', message, {
    file: path,
    hint: `ask again, with a key that is made here: ${command(`renew ${spec.name} --csr-only --force`)}`,
  });
}
