import type { FileTarget } from '../../changeset/change-set.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { keyDigest } from '../../pki/key/public-key.ts';
import { publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import type { CertificateSpec } from '../../catalog/catalog.ts';

/** By what it is told whether a key that waits in a file is our own. */
export interface KeySettings {
  /** The certificates that requests were made for here, each with the digest of its key. */
  readonly requestedKeys: readonly { readonly name: string; readonly digest: string }[];
  readonly command: CommandLine;
}

interface WaitingKey {
  readonly key: PrivateKey;
  readonly keyFile: FileTarget;
  /** Another user decides which file is there. */
  readonly isInReach: boolean;
}

/**
 * A key that waits where another user decides which file has which name is taken only where it was made here,
 * for this very certificate; or where all that it is put into is the same user's. Otherwise that user would
 * know the key of another owner's certificate, or would be handed one.
 * @param targets what the key is put into
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
  throw new KubepkiError(
    'no-permission',
    before?.foreign === true
      ? `belongs to uid ${String(before.uid)}, and is not the key that a request for ${spec.name} was made with here`
      : `is where another user decides which file has this name, and is not the key that a request for ${spec.name} was made with here`,
    {
      file: path,
      hint: `ask again, with a key that is made here: ${command(`renew ${spec.name} --csr-only --force`)}`,
    },
  );
}
