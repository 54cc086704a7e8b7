import type { FileTarget } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { isForeign } from '../filesystem/owner.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/key/private-key.ts';
import { reading } from './reading.ts';
import type { Slot } from './request-files.ts';

/**
 * A CA's key, to sign with. Another user's symlink leads to that user's keys only: root would sign, for that user's files, with a
 * key that the user cannot read. The links are judged as they were when they were followed, so that none is there for the
 * reading and gone for the judgement.
 */
export function readSigningKey(root: FileSystemRoot, path: string): Slot<PrivateKey> {
  let target: FileTarget = { path, resolvedPath: path, before: undefined };
  const content = reading(path, () => {
    const { path: resolvedPath, links } = root.follow(path);
    const file = readRegularFile(resolvedPath, path);
    target = { path, resolvedPath, before: file?.facts };
    if (file === undefined) return undefined;
    const foreign = links.find(({ uid }) => isForeign(uid) && uid !== file.facts.uid);
    if (foreign === undefined) return parsePrivateKey(file.bytes);
    throw new KubepkiError(
      'no-permission',
      `the symbolic link ${foreign.path} belongs to uid ${String(foreign.uid)}, who would decide which CA is used`,
      { hint: `if it leads where it should, make it yours: chown -h root ${shellWord(foreign.path)}` },
    );
  });
  return { target, content };
}
