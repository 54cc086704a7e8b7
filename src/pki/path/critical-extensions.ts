import type { Certificate } from '../certificate/certificate.ts';
import { extensionIds } from '../extension/extension.ts';
import { parseSubjectAltName } from '../extension/subject-alt-name.ts';

// What Go's crypto/x509 handles; from Go 1.24 on policyMappings, policyConstraints and inhibitAnyPolicy as well, but
// components of clusters in use were built with older ones. Content bytes of the OIDs in hex.
const handled: ReadonlySet<string> = new Set([
  extensionIds.subjectKeyIdentifier,
  extensionIds.keyUsage,
  extensionIds.subjectAltName,
  extensionIds.basicConstraints,
  extensionIds.nameConstraints,
  extensionIds.authorityKeyIdentifier,
  extensionIds.extendedKeyUsage,
  '551d1f', // 2.5.29.31, cRLDistributionPoints
  '551d20', // 2.5.29.32, certificatePolicies
  '2b06010505070101', // 1.3.6.1.5.5.7.1.1, authorityInfoAccess
]);

/**
 * RFC 5280, 4.2: a verifier that meets a critical extension that it does not know must refuse the
 * certificate. Kubernetes is written in Go, so these are the extensions that Go does not know.
 * @returns what it is, in words; undefined: there is none
 */
export function unhandledExtension({ extensions }: Certificate): string | undefined {
  const critical = extensions.filter((extension) => extension.critical);
  const unknown = critical.find(({ id }) => !handled.has(id));
  if (unknown !== undefined)
    return `a critical extension that Go does not know (${unknown.der.toString('hex')})`;
  const names = critical.find(({ id }) => id === extensionIds.subjectAltName);
  // Go knows DNS names, IP addresses, e-mail addresses and URIs; with none of them a critical SAN is not understood.
  const understood = names === undefined || parseSubjectAltName(names).some((name) => !name.startsWith('['));
  return understood ? undefined : 'a critical SAN without a name that Go understands';
}
