import type { CertificateSpec } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import { attributesOf } from '../../pki/der/name.ts';
import { isBuiltIn } from './signer-name.ts';

/** What decides whether a signer can issue a certificate. */
export interface Candidate {
  readonly spec: Pick<CertificateSpec, 'name' | 'caName'>;
  /** DER of the Name. */
  readonly subject: Buffer;
  /** In the words of certificates.k8s.io/v1. */
  readonly usages: readonly string[];
}

const clientSigner = 'kubernetes.io/kube-apiserver-client';

/** Signers of kube-controller-manager's that issue none of these certificates, and why. */
const others: Readonly<Record<string, string>> = {
  'kubernetes.io/kubelet-serving': 'issues serving certificates to kubelets only',
  'kubernetes.io/kube-apiserver-client-kubelet': 'issues client certificates to kubelets only',
  'kubernetes.io/legacy-unknown': 'issues nothing that is asked for through certificates.k8s.io/v1',
};

const externalSigners =
  'an external signer can, such as cert-manager: --signer-name clusterissuers.cert-manager.io/NAME or issuers.cert-manager.io/NAMESPACE.NAME';

/**
 * Who is asked for these certificates.
 * @param wanted undefined: the built-in signer that can
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
  throw new KubepkiError('usage', `the built-in signers cannot issue ${list}`, {
    hint: [...(rest.length === 0 ? [] : [`what they can issue: ${command(rest)}`]), externalSigners].join(
      '; ',
    ),
  });
}

/** The first reason is the one that would be met first, were the others mended. */
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

/** Of kubernetes.io/kube-apiserver-client. */
const allowed: readonly string[] = ['client auth', 'digital signature', 'key encipherment'];
