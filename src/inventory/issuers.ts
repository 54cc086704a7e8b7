import type { CaName } from '../catalog/catalog.ts';
import { KubepkiError } from '../errors/error.ts';
import { localIssuer, type Issuer } from '../pki/issue/issuer.ts';
import type { AuthorityEntry, Inventory } from './inventory.ts';
import type { Layout } from './layout.ts';
import { reading, type Reading } from './reading.ts';
import { readSigningKey } from './signing-key.ts';

/** `missing`: there is no CA certificate. */
export type Issuers = ReadonlyMap<CaName, Reading<Issuer>>;

/**
 * Opens the CA keys and makes sure that each may sign at this moment. A CA whose key is not on disk is external, as for
 * kubeadm.
 * @param names the CAs that are needed: the keys of the others stay closed
 */
export function readIssuers(inventory: Inventory, names: ReadonlySet<CaName>, now: Date): Issuers {
  return new Map(
    inventory.authorities
      .filter(({ spec }) => names.has(spec.name))
      .map((authority) => [authority.spec.name, readIssuer(inventory.layout, authority, now)] as const),
  );
}

function readIssuer(layout: Layout, authority: AuthorityEntry, now: Date): Reading<Issuer> {
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
    const files = { certificate: certificatePath, key: keyPath };
    return localIssuer(bundle.value, content.value, now, files);
  });
}
