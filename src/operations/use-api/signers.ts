import type { CertificateSpec } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { attributesOf } from '../../pki/der/name.ts';
import { extendedKeyUsageIds } from '../../pki/extension/key-usage.ts';
import type { KeyAlgorithm } from '../../pki/key/private-key.ts';
import { isBuiltIn } from './signer-name.ts';

/** A certificate, as far as it decides which signer can issue it. */
export interface Candidate {
  readonly spec: Pick<CertificateSpec, 'name' | 'caName'>;
  /** DER of the Name. */
  readonly subject: Buffer;
  /** In the words of certificates.k8s.io/v1. */
  readonly usages: readonly string[];
}

const clientSigner = 'kubernetes.io/kube-apiserver-client';

/** The signers of kube-controller-manager that issue none of these certificates, and why. */
const others: Readonly<Record<string, string>> = {
  'kubernetes.io/kubelet-serving': 'issues serving certificates to kubelets only',
  'kubernetes.io/kube-apiserver-client-kubelet': 'issues client certificates to kubelets only',
  'kubernetes.io/legacy-unknown': 'issues nothing that is asked for through certificates.k8s.io/v1',
};

const externalSigners =
  'an external signer can, such as cert-manager: --signer-name clusterissuers.cert-manager.io/NAME or issuers.cert-manager.io/NAMESPACE.NAME';

/**
 * The signer that is asked for these certificates.
 * @param wanted undefined: the built-in signer that can issue them
 * @param command the command line for the certificates with these names
 * @throws KubepkiError usage: one for all that the signer cannot issue, with the reason for each
 */
export function chooseSigner(
  candidates: readonly Candidate[],
  wanted: string | undefined,
  command: (names: readonly string[]) => string,
): string {
  if (wanted !== undefined && !isBuiltIn(wanted)) return wanted;
  const signerName = wanted ?? clientSigner;
  if (signerName !== clientSigner) {
    const why = others[signerName] ?? 'is none of the built-in signers';
    throw new KubepkiError('usage', `${signerName} ${why}`, {
      hint: `${clientSigner} issues client certificates of the cluster's CA; ${externalSigners}`,
    });
  }
  const reasons = new Map<string, string[]>();
  for (const candidate of candidates) {
    const reason = whyNot(candidate);
    if (reason === undefined) continue;
    reasons.set(reason, [...(reasons.get(reason) ?? []), candidate.spec.name]);
  }
  if (reasons.size === 0) return signerName;
  const refused = new Set([...reasons.values()].flat());
  const rest = candidates.map(({ spec }) => spec.name).filter((name) => !refused.has(name));
  const list = [...reasons].map(([reason, names]) => `${names.join(', ')} (${reason})`).join('; ');
  const possible = rest.length === 0 ? [] : [`what they can issue: ${command(rest)}`];
  throw new KubepkiError('usage', `the built-in signers cannot issue ${list}`, {
    hint: [...possible, externalSigners].join('; '),
  });
}

function whyNot({ spec, subject, usages }: Candidate): string | undefined {
  if (spec.caName === 'etcd-ca') return "of the etcd CA: they sign with the cluster's CA only";
  if (spec.caName === 'front-proxy-ca') return "of the front-proxy CA: they sign with the cluster's CA only";
  if (usages.includes('server auth')) {
    return 'a server certificate: only kubelet-serving issues such, to kubelets';
  }
  const other = usages.find((usage) => !allowed.includes(usage));
  if (other !== undefined) return `also for ${other}: they issue client certificates only`;
  if (attributesOf(subject).includes('O=system:masters')) {
    return "in the group system:masters, which the API server's admission plugin CertificateSubjectRestriction refuses";
  }
  return undefined;
}

/** The usages that kubernetes.io/kube-apiserver-client permits. */
const allowed: readonly string[] = ['client auth', 'digital signature', 'key encipherment'];

/** The names of extended key usages in certificates.k8s.io/v1, by the content bytes of their OIDs in hex. */
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
      // ECDSA keys encipher nothing (RFC 8422, 5.5), and signers refuse the usage for them.
      ...(key.type === 'rsa' ? ['key encipherment'] : []),
      ...own,
      ...usages.map((usage) => inApi[usage]),
    ]),
  ];
}

// The API takes no less, and no more than an int32.
const shortestSeconds = 600;
const longestSeconds = 2 ** 31 - 1;

/** The validity that is asked for, within what the API takes. */
export function expirationSecondsOf(validityMs: number): number {
  return Math.min(Math.max(Math.floor(validityMs / 1000), shortestSeconds), longestSeconds);
}
