import type { CaName } from '../catalog/catalog.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { isForeign } from '../filesystem/owner.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import type { Certificate } from '../pki/certificate/certificate.ts';
import { localIssuer, type Issuer } from '../pki/issue/issuer.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/key/private-key.ts';
import type { AuthorityEntry, Inventory } from './inventory.ts';
import type { Layout } from './layout.ts';
import { reading, type Reading, type Slot } from './reading.ts';

/** `missing`: there is no CA certificate. */
export type Issuers = ReadonlyMap<CaName, Reading<Issuer>>;

/**
 * Opens the CA keys and makes sure that each may sign at this moment. A CA whose key is not on disk is external, as for
 * kubeadm.
 * @param names the CAs that are needed: the keys of the others stay closed
 * @param remedy the next step for one that has ended
 */
export function readIssuers(
  inventory: Inventory,
  names: ReadonlySet<CaName>,
  now: Date,
  remedy?: (authority: AuthorityEntry, certificate: Certificate) => string,
): Issuers {
  return new Map(
    inventory.authorities
      .filter(({ spec }) => names.has(spec.name))
      .map((authority) => {
        const ofThis = remedy && ((certificate: Certificate) => remedy(authority, certificate));
        return [authority.spec.name, readIssuer(inventory.layout, authority, now, ofThis)] as const;
      }),
  );
}

function readIssuer(
  layout: Layout,
  authority: AuthorityEntry,
  now: Date,
  remedy: ((certificate: Certificate) => string) | undefined,
): Reading<Issuer> {
  const { bundle, key, certificatePath, keyPath } = authority;
  if (bundle.status !== 'present') return bundle;
  if (key.status === 'unreadable') return key;
  if (key.status === 'missing')
    return { status: 'present', value: { kind: 'external', bundle: bundle.value } };
  const { content } = readSigningKey(layout.root, keyPath);
  if (content.status === 'unreadable') return content;
  return reading<Issuer>(keyPath, () => {
    if (content.status === 'missing') {
      throw new KubepkiError('conflict', 'disappeared while it was read', { file: keyPath });
    }
    const files = { certificate: certificatePath, key: keyPath, remedy };
    return localIssuer(bundle.value, content.value, now, files);
  });
}

/**
 * Reads a CA's key to sign with. Another user's symlink may lead only to that user's keys: else root would sign, for that user's
 * files, with a key that the user cannot read. The links are judged as they were when they were followed, so that none is there
 * for the reading and gone for the judgement.
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
