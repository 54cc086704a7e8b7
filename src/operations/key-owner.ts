import type { FileTarget } from '../changeset/change-set.ts';
import type { CommandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import { keyDigest } from '../pki/key-digest.ts';
import { publicKeyOf } from '../pki/private-key.ts';
import type { Pending } from './pending.ts';

/**
 * A key that waits for its certificate in a file of another user's is taken only where it was made here, or where all that it
 * is put into is the same user's: otherwise that user would know the key of somebody else's certificate.
 * @param requested digests of the keys that were made here
 * @throws KubepkiError no-permission
 */
export function requireOwnKey(
  { spec, key, keyFile }: Pending,
  targets: readonly FileTarget[],
  { requested, command }: { readonly requested: ReadonlySet<string>; readonly command: CommandLine },
): void {
  const { path, before } = keyFile;
  if (before?.foreign !== true || requested.has(keyDigest(publicKeyOf(key)))) return;
  if (targets.every((target) => target.before?.uid === before.uid)) return;
  throw new KubepkiError(
    'no-permission',
    `belongs to uid ${String(before.uid)} and is not the key that a request for ${spec.name} was made with here, so that user would know the key in use`,
    {
      file: path,
      hint: `ask again, with a key that is made here: ${command(`renew ${spec.name} --csr-only --force`)}`,
    },
  );
}
