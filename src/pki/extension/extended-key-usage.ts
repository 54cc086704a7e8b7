import type { Certificate } from '../certificate/certificate.ts';
import { contentOf, oid, parseDer, partsOf, sequence } from '../der/der.ts';
import { extensionIds, findExtension, newExtension, type Extension } from './extension.ts';

/** What TLS asks of an end entity (RFC 5280, 4.2.1.12). */
export type Usage = 'serverAuth' | 'clientAuth';

/** Content bytes of the OIDs, in hex. */
const ids: Readonly<Record<Usage, string>> = {
  /** 1.3.6.1.5.5.7.3.1 */
  serverAuth: '2b06010505070301',
  /** 1.3.6.1.5.5.7.3.2 */
  clientAuth: '2b06010505070302',
};

/** 2.5.29.37.0 */
const anyExtendedKeyUsage = '551d2500';

/** As kubeadm writes it: not critical. */
export function extendedKeyUsage(usages: readonly Usage[]): Extension {
  return newExtension(extensionIds.extendedKeyUsage, false, sequence(usages.map((usage) => oid(ids[usage]))));
}

/** The OIDs of a certificate's extended key usages, content bytes in hex; none without the extension. */
export function extendedKeyUsageIds({ extensions }: Pick<Certificate, 'extensions'>): readonly string[] {
  const extension = findExtension(extensions, 'extendedKeyUsage');
  return extension === undefined
    ? []
    : partsOf(parseDer(extension.value)).map((id) => contentOf(id).toString('hex'));
}

/**
 * Which of the usages a certificate lacks. One without the extension may be used for anything by RFC 5280, but kubeadm
 * and Go's TLS peers want it said: it lacks them all.
 */
export function missingUsages(certificate: Certificate, wanted: readonly Usage[]): Usage[] {
  const present = extendedKeyUsageIds(certificate);
  return present.includes(anyExtendedKeyUsage) ? [] : wanted.filter((usage) => !present.includes(ids[usage]));
}
