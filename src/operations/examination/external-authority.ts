import { KubepkiError, type ErrorCode } from '../../errors/error.ts';
import type { AuthorityEntry, Inventory } from '../../inventory/inventory.ts';
import type { CheckId, Finding } from './finding.ts';

/** kubeadm's external CA mode: the CA's certificate is here and its key is not. Each CA by itself. */
export function isExternallyManaged(authority: AuthorityEntry): boolean {
  return authority.bundle.status === 'present' && authority.key.status === 'missing';
}

// What kubeadm cannot do without (validateSignedCert); that a leaf has expired its own check passes over.
const demanded: Partial<Record<CheckId, ErrorCode>> = {
  missing: 'not-found',
  foreign: 'foreign-issuer',
  untrusted: 'bad-issuer',
  signature: 'bad-certificate',
  serial: 'bad-certificate',
  'key-missing': 'not-found',
};

/**
 * What kubeadm demands in external CA mode (UsingExternalCA, UsingExternalFrontProxyCA, UsingExternalEtcdCA): each leaf of
 * the CA is there, with its key, and verifies. kubeadm then refuses to say anything at all; here everything else is
 * still said. That a leaf has expired is no fault: its row says so, and kubeadm's refusal would hide the row.
 */
export function isExternalFault({ name, check }: Finding, { authorities, certificates }: Inventory): boolean {
  if (demanded[check] === undefined) return false;
  const entry = certificates.find(({ spec }) => spec.name === name);
  const authority = authorities.find(({ spec }) => spec.name === entry?.spec.caName);
  return entry?.kind === 'leaf' && authority !== undefined && isExternallyManaged(authority);
}

export function externalFault({ check, file, message, hint }: Finding): KubepkiError {
  // That a key is missing is not the CA's doing.
  const said = check === 'key-missing' ? message : `${message} (external CA)`;
  return new KubepkiError(demanded[check] ?? 'bad-certificate', said, { file, hint });
}

/** The CA certificate is not where its leaves are: with or without its key, nothing can be said or signed. */
export function missingAuthority(authority: AuthorityEntry): KubepkiError {
  return new KubepkiError('not-found', 'no such file: the CA certificate is missing', {
    file: authority.certificatePath,
    hint: 'restore it from a backup or from another control-plane node of the same cluster',
  });
}
