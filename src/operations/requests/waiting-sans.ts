import { KubepkiError } from '../../errors/error.ts';
import type { CertificationRequest } from '../../pki/request/certification-request.ts';
import { nameKey } from '../../pki/extension/edit-subject-alt-name.ts';
import { findExtension, type Extension } from '../../pki/extension/extension.ts';
import { parseSubjectAltName, type GeneralName } from '../../pki/extension/subject-alt-name.ts';

/**
 * To keep a request that waits would be to forget the SANs that are asked for now.
 * @throws KubepkiError conflict, without a file
 */
export function requireSameSans(waiting: CertificationRequest, wanted: Extension | undefined): void {
  const found = parseSubjectAltName(findExtension(waiting.extensions, 'subjectAltName'));
  const names = parseSubjectAltName(wanted);
  const [missing, extra] = [without(names, found), without(found, names)];
  const differences = [
    ...(missing.length === 0 ? [] : [`not for ${missing.join(', ')}`]),
    ...(extra.length === 0 ? [] : [`also for ${extra.join(', ')}`]),
  ];
  if (differences.length === 0) return;
  throw new KubepkiError('conflict', `waits already, and asks for other SANs: ${differences.join('; ')}`, {
    hint: 'move it away, or replace it (a backup is kept): --force',
  });
}

function without(names: readonly GeneralName[], others: readonly GeneralName[]): GeneralName[] {
  const keys = new Set(others.map(nameKey));
  return names.filter((name) => !keys.has(nameKey(name)));
}
