import { KubepkiError, type ErrorCode } from '../../errors/error.ts';
import type { AuthorityEntry, Inventory } from '../../inventory/inventory.ts';
import type { CheckId, Finding } from './finding.ts';

/** kubeadm's external CA mode, for each CA by itself: its certificate is here and its key is not. */
export function isExternallyManaged(authority: AuthorityEntry): boolean {
  return authority.bundle.status === 'present' && authority.key.status === 'missing';
}

// kubeadm's validateSignedCert stops for these faults. It does not stop for an expired leaf.
const demanded: Partial<Record<CheckId, ErrorCode>> = {
  missing: 'not-found',
  foreign: 'foreign-issuer',
  untrusted: 'bad-issuer',
  signature: 'bad-certificate',
  serial: 'bad-certificate',
  'key-missing': 'not-found',
};

/**
 * Whether kubeadm would stop for a finding in external CA mode (UsingExternalCA, UsingExternalFrontProxyCA, UsingExternalEtcdCA):
 * it demands that each leaf of the CA is there, with its key, and verifies. kubeadm then prints nothing at all; here everything
 * else is still reported.
 */
export function isExternalFault({ name, check }: Finding, { authorities, certificates }: Inventory): boolean {
  if (demanded[check] === undefined) return false;
  const entry = certificates.find(({ spec }) => spec.name === name);
  const authority = authorities.find(({ spec }) => spec.name === entry?.spec.caName);
  return entry?.kind === 'leaf' && authority !== undefined && isExternallyManaged(authority);
}

export function externalFault({ check, file, message, hint }: Finding): KubepkiError {
  // A missing key is not the CA's doing.
  const said = check === 'key-missing' ? message : `${message} (external CA)`;
  return new KubepkiError(demanded[check] ?? 'bad-certificate', said, { file, hint });
}

/** The CA certificate is not where its leaves are. Without it nothing can be verified or signed. */
export function missingAuthority(authority: AuthorityEntry): KubepkiError {
  return new KubepkiError('not-found', 'no such file: the CA certificate is missing', {
    file: authority.certificatePath,
    hint: 'restore it from a backup or from another control-plane node of the same cluster',
  });
}
