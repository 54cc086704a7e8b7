import type { Certificate } from '../../../pki/certificate/certificate.ts';
import { findExtension } from '../../../pki/extension/extension.ts';
import { parseSubjectAltName, type GeneralName } from '../../../pki/extension/subject-alt-name.ts';
import { lastFlagValue } from '../../node/component-flags.ts';
import type { Observed } from '../observed.ts';

export function sansOf({ extensions }: Certificate): readonly GeneralName[] {
  return parseSubjectAltName(findExtension(extensions, 'subjectAltName'));
}

/**
 * The names in the certificate of this node's API server.
 * @returns undefined where they cannot be told: there is no certificate, or others are shown for some names
 */
export function servedNames({ subject, pods }: Observed): readonly GeneralName[] | undefined {
  const pod = pods['kube-apiserver'];
  const hasOthers =
    pod.status === 'present' && lastFlagValue(pod.value.words, 'tls-sni-cert-key') !== undefined;
  const entry = subject.inventory.certificates.find(({ spec }) => spec.name === 'apiserver');
  const names = hasOthers || entry?.state.status !== 'present' ? [] : sansOf(entry.state.value.chain[0]);
  return names.length === 0 ? undefined : names;
}
