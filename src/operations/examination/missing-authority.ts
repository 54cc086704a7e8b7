import { KubepkiError } from '../../errors/error.ts';
import type { AuthorityEntry } from '../../inventory/inventory.ts';

/** The CA certificate is not where its leaves are: with or without its key, nothing can be said or signed. */
export function missingAuthority(authority: AuthorityEntry): KubepkiError {
  return new KubepkiError('not-found', 'no such file: the CA certificate is missing', {
    file: authority.certificatePath,
    hint: 'restore it from a backup or from another control-plane node of the same cluster',
  });
}
