import type { CertificateSpec } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import {
  describeNames,
  editSubjectAltName,
  nameKey,
  replaceServerNames,
  type SanEdit,
  type ServerNames,
} from '../../pki/extension/edit-subject-alt-name.ts';
import { findExtension, type Extension } from '../../pki/extension/extension.ts';
import {
  isServerNameAmong,
  parseSubjectAltName,
  type GeneralName,
} from '../../pki/extension/subject-alt-name.ts';
import { covers, nameUses, type NameSources } from './name-uses.ts';
import { requestedNames, type NodeIdentity } from './node-names.ts';

/** The change of SANs that the command line asks for. */
export type SanWish =
  | { readonly kind: 'edit'; readonly add: ServerNames; readonly remove: ServerNames }
  | { readonly kind: 'configured'; readonly node: NodeIdentity };

export interface SanSettings {
  readonly wish: SanWish;
  readonly sources: NameSources;
  /** A name that is still used is removed all the same. */
  readonly force: boolean;
}

/** The change of one certificate's SANs, and what is said of it. */
export interface SanChange {
  /** undefined: the SANs stay as they are. */
  readonly edit: SanEdit | undefined;
  /** The names that were to be added. */
  readonly alreadyThere: readonly GeneralName[];
  /** The names that were to be removed. */
  readonly notThere: readonly GeneralName[];
  /** A sentence for each removed name that is still used. */
  readonly stillUsed: readonly string[];
  /** The errors of the files that could not be read: they may use a removed name. */
  readonly faults: readonly KubepkiError[];
}

/**
 * @param file the certificate's, for messages
 * @throws KubepkiError in-use for a name that is still used, conflict when no name would be left
 */
export function changeSans(
  spec: CertificateSpec,
  certificate: { readonly extensions: readonly Extension[] },
  file: string,
  { wish, sources, force }: SanSettings,
): SanChange {
  const old = findExtension(certificate.extensions, 'subjectAltName');
  const edit =
    wish.kind === 'edit'
      ? editSubjectAltName(old, wish)
      : replaceServerNames(old, requestedNames(spec.subject.names, wish.node));
  const removed = edit?.removed ?? [];
  const left = parseSubjectAltName(edit?.extension ?? old);
  if (removed.length > 0) requireServerName(left, file);
  const { uses, faults } = nameUses(spec.subject.names, sources);
  const stillUsed = removed.flatMap((san) => {
    const users = uses.filter(({ name }) => covers(san, name) && !left.some((other) => covers(other, name)));
    const places = new Set(users.map(({ path, field }) => `${path} (${field})`));
    return places.size === 0 ? [] : [`${san} is still used by ${[...places].join(', ')}`];
  });
  if (stillUsed.length > 0 && !force) {
    throw new KubepkiError('in-use', stillUsed.join('; '), {
      file,
      hint: 'change that first, or remove it all the same: --force',
    });
  }
  return {
    edit,
    ...unneeded(wish, parseSubjectAltName(old)),
    stillUsed,
    faults: removed.length === 0 ? [] : faults,
  };
}

/** Whether a name comes or goes. The same names in another order are no change to any client. */
export function changesNames({ edit }: SanChange): boolean {
  return edit !== undefined && edit.added.length + edit.removed.length > 0;
}

// RFC 6125, 6.4.4, and Go since 1.17: a server without a name among its SANs is refused by every client.
function requireServerName(left: readonly GeneralName[], file: string): void {
  if (isServerNameAmong(left)) return;
  throw new KubepkiError('conflict', 'would be left without a DNS name or an IP address among its SANs', {
    file,
    hint: 'a server needs one; add another with --add-san',
  });
}

function unneeded(
  wish: SanWish,
  before: readonly GeneralName[],
): Pick<SanChange, 'alreadyThere' | 'notThere'> {
  if (wish.kind === 'configured') return { alreadyThere: [], notThere: [] };
  const keys = new Set(before.map(nameKey));
  return {
    alreadyThere: describeNames(wish.add).filter((name) => keys.has(nameKey(name))),
    notThere: describeNames(wish.remove).filter((name) => !keys.has(nameKey(name))),
  };
}
