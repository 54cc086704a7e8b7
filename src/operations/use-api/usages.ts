import type { CertificateSpec } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { extendedKeyUsageIds } from '../../pki/extension/key-usage.ts';
import type { KeyAlgorithm } from '../../pki/key/private-key.ts';

/** What certificates.k8s.io/v1 calls an extended key usage, by the content bytes of its OID in hex. */
const names: Readonly<Record<string, string>> = {
  '2b06010505070301': 'server auth',
  '2b06010505070302': 'client auth',
  '2b06010505070303': 'code signing',
  '2b06010505070304': 'email protection',
  '2b06010505070305': 'ipsec end system',
  '2b06010505070306': 'ipsec tunnel',
  '2b06010505070307': 'ipsec user',
  '2b06010505070308': 'timestamping',
  '2b06010505070309': 'ocsp signing',
  '2b0601040182370a0303': 'microsoft sgc',
  '6086480186f8420401': 'netscape sgc',
  '551d2500': 'any',
};

const inApi = { serverAuth: 'server auth', clientAuth: 'client auth' } as const;

/**
 * The usages to ask for: those of the certificate in use, and those without which its peers refuse it.
 * @throws KubepkiError bad-certificate for a usage that the API has no name for: it would be lost
 */
export function requestedUsages(
  leaf: Pick<Certificate, 'extensions'>,
  { name, usages }: Pick<CertificateSpec, 'name' | 'usages'>,
  key: KeyAlgorithm,
): readonly string[] {
  const own = extendedKeyUsageIds(leaf).map((id) => {
    const known = names[id];
    if (known !== undefined) return known;
    throw new KubepkiError(
      'bad-certificate',
      `the certificate for ${name} has an extended key usage that the certificates API has no name for`,
      { hint: 'have it signed without the API: --csr-only' },
    );
  });
  return [
    ...new Set([
      'digital signature',
      // Of RSA alone: ECDSA keys encipher nothing (RFC 8422, 5.5), and signers refuse it.
      ...(key.type === 'rsa' ? ['key encipherment'] : []),
      ...own,
      ...usages.map((usage) => inApi[usage]),
    ]),
  ];
}

/** What the API takes at least. */
const shortestSeconds = 600;
/** int32 */
const longestSeconds = 2 ** 31 - 1;

/** How long the certificate is to be valid, as the API takes it. */
export function expirationSecondsOf(validityMs: number): number {
  return Math.min(Math.max(Math.floor(validityMs / 1000), shortestSeconds), longestSeconds);
}
