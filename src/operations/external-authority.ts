import type { LeafSpec } from '../catalog/catalog.ts';
import type { CommandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import type { AuthorityEntry, Inventory, LeafEntry } from '../inventory/inventory.ts';
import { chainsTo } from '../pki/chain.ts';

/** A certificate that could not be made again here, and why it will not do. */
export interface ExternalFault {
  readonly spec: LeafSpec;
  readonly error: KubepkiError;
}

/** kubeadm's external CA mode: the CA's certificate is here and its key is not. Each CA by itself. */
export function isExternallyManaged(authority: AuthorityEntry): boolean {
  return authority.bundle.status === 'present' && authority.key.status === 'missing';
}

/**
 * What kubeadm demands in external CA mode (UsingExternalCA, UsingExternalFrontProxyCA, UsingExternalEtcdCA): each leaf of
 * the CA is there, with its key, and verifies. kubeadm then refuses to say anything at all; here everything else is
 * still said. That a leaf has expired is no fault: its row says so, and kubeadm's refusal helps nobody who wants to know.
 */
export function externalFaults(
  { authorities, certificates }: Inventory,
  command: CommandLine,
): ExternalFault[] {
  return authorities.filter(isExternallyManaged).flatMap((authority) =>
    certificates.flatMap((entry) => {
      if (entry.kind !== 'leaf' || entry.spec.caName !== authority.spec.name) return [];
      const error = faultOf(entry, authority, command);
      return error === undefined ? [] : [{ spec: entry.spec, error }];
    }),
  );
}

function faultOf(
  leaf: LeafEntry,
  { bundle, certificatePath }: AuthorityEntry,
  command: CommandLine,
): KubepkiError | undefined {
  const { name } = leaf.spec;
  const signedAnew = `have it signed with a new key: ${command(`renew ${name} --csr-only`)}`;
  switch (leaf.state.status) {
    case 'unreadable':
      // The row says so already.
      return undefined;
    case 'missing':
      return new KubepkiError(
        'not-found',
        `no such file, and the key of ${certificatePath} is not here to make it (external CA)`,
        {
          file: leaf.certificatePath,
          hint: 'restore it with its key, or have the CA sign a new one (kubepki certs generate-csr --help)',
        },
      );
    case 'present':
      break;
  }
  if (leaf.key.status === 'missing') {
    return new KubepkiError('not-found', `no such file: the certificate ${name} has no key`, {
      file: leaf.keyPath,
      hint: `restore it from a backup, or ${signedAnew}`,
    });
  }
  if (leaf.key.status === 'unreadable') return leaf.key.error;
  if (bundle.status !== 'present' || chainsTo(leaf.state.value.chain, bundle.value)) return undefined;
  return new KubepkiError('foreign-issuer', `is not signed by the CA of ${certificatePath} (external CA)`, {
    file: leaf.certificatePath,
    hint: `put the CA certificate of this cluster in place, or ${signedAnew}`,
  });
}
