import { KubepkiError } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import type { Slot } from '../../inventory/reading.ts';
import type { MaybeEmbedded, PartialKubeconfig } from '../../kubeconfig/kubeconfig.ts';
import {
  certificateBlocks,
  encodeCertificates,
  parseCertificate,
  type Certificate,
  type Chain,
} from '../../pki/certificate/certificate.ts';
import { attributesOf } from '../../pki/der/name.ts';
import { isoSeconds } from '../../pki/der/time.ts';

/** kubeadm compares the CA that a kubeconfig embeds with the first of ca.crt. During a CA rotation one in common is enough. */
export function sharesAuthority(embedded: Chain, bundle: Chain): boolean {
  return embedded.some((one) => isAmong(bundle, one));
}

/** The CAs that a kubeconfig trusts when its certificate is renewed. */
interface TrustedAuthorities {
  /** The new certificate-authority-data; undefined: the old data stays, byte for byte. */
  readonly pem: string | undefined;
  /** The certificates of the CA file that the old data does not have. */
  readonly added: readonly Certificate[];
  /** DER of the certificates that the old data has and the CA file has not. */
  readonly kept: readonly Buffer[];
  /** The old data holds no certificate at all. */
  readonly wasUnusable: boolean;
}

/**
 * kubeadm embeds the first certificate of ca.crt in the place of all that were there. Here no CA is dropped but by the operator:
 * during a CA rotation one kubeconfig reaches API servers of both CAs, and a load balancer may have a CA of its own. So the data
 * becomes the certificates of ca.crt, followed by the others of the kubeconfig, each once. A certificate that has expired, or
 * that has a successor with the same key, does no harm.
 */
export function trustedAuthorities(kubeconfig: PartialKubeconfig, bundle: Chain): TrustedAuthorities {
  const { clusterCa, clientCertificate } = kubeconfig;
  if (clusterCa.kind !== 'data') {
    // `generate-csr` leaves a kubeconfig without certificate and CA. Any other trusts the CAs of the system, or of a file.
    const isNew = clusterCa.kind === 'absent' && clientCertificate.kind === 'absent';
    return { pem: isNew ? encodeCertificates(bundle) : undefined, added: [], kept: [], wasUnusable: false };
  }
  const embedded = certificateBlocks(clusterCa.bytes).map((der) => ({ der }));
  const added = unique(bundle).filter((one) => !isAmong(embedded, one));
  const kept = unique(embedded).filter((one) => !isAmong(bundle, one));
  return {
    pem: added.length === 0 ? undefined : encodeCertificates([...unique(bundle), ...kept]),
    added,
    kept: kept.map(({ der }) => der),
    wasUnusable: embedded.length === 0,
  };
}

/** Whether what was read back from disk has the CAs that were planned, or those that were there. */
export function trustsAsPlanned(
  found: MaybeEmbedded,
  { clusterCa: before }: PartialKubeconfig,
  { pem }: TrustedAuthorities,
): boolean {
  if (pem !== undefined) return found.kind === 'data' && found.bytes.equals(Buffer.from(pem));
  return found.kind === 'data' && before.kind === 'data'
    ? found.bytes.equals(before.bytes)
    : found.kind === before.kind;
}

type Der = Pick<Certificate, 'der'>;

function unique<T extends Der>(certificates: readonly T[]): T[] {
  return certificates.filter((one, index) => !isAmong(certificates.slice(0, index), one));
}

function isAmong(certificates: readonly Der[], { der }: Der): boolean {
  return certificates.some((one) => one.der.equals(der));
}

/** A kubeconfig whose certificate changes, and the file of that certificate's CA. */
export interface TrustingKubeconfig {
  readonly file: string;
  readonly clusterName: string;
  readonly trusted: TrustedAuthorities;
  /** The file that the kubeconfig names for its CAs; undefined: it names none. */
  readonly authorityFile: Slot<Chain> | undefined;
  readonly caFile: string;
  readonly bundle: Chain;
}

interface AuthorityRemark {
  readonly kind: 'warning' | 'note';
  readonly text: string;
  readonly hint?: string;
}

/** The remarks about a kubeconfig's CAs: each one that is added, and each one that the CA file does not have. */
export function authorityRemarks(kubeconfig: TrustingKubeconfig): AuthorityRemark[] {
  const { file, caFile, trusted, authorityFile, bundle } = kubeconfig;
  const { added, kept, wasUnusable } = trusted;
  const unusable = 'its certificate-authority-data holds no certificate, and is replaced';
  const remarks: AuthorityRemark[] = [
    ...(wasUnusable ? [{ kind: 'warning', text: unusable } as const] : []),
    ...added.map((one) => ({ kind: 'note', text: `gets ${describe(one)} of ${caFile}` }) as const),
    ...kept.map((der, index): AuthorityRemark => {
      const text = `keeps ${describeBlock(der)}, which is not in ${caFile}`;
      // A load balancer's CA stays: the operator need not be told at every renewal how to drop it.
      const isLast = added.length > 0 && index === kept.length - 1;
      return { kind: 'note', text, ...(isLast ? { hint: howToDrop(kubeconfig) } : {}) };
    }),
    ...(authorityFile === undefined ? [] : fileRemarks(authorityFile, caFile, bundle)),
  ];
  return remarks.map((remark) => ({ ...remark, text: `${file}: ${remark.text}` }));
}

function howToDrop({ file, caFile, clusterName }: TrustingKubeconfig): string {
  const words = ['kubectl', 'config', 'set-cluster', clusterName, '--kubeconfig', file];
  const command = [...words, '--certificate-authority', caFile, '--embed-certs'].map(shellWord).join(' ');
  return `to trust nothing but ${caFile}, once no API server shows another CA's certificate: ${command}`;
}

function fileRemarks({ target, content }: Slot<Chain>, caFile: string, bundle: Chain): AuthorityRemark[] {
  const names = `names ${target.path} for the CAs it trusts`;
  switch (content.status) {
    case 'missing':
      return [{ kind: 'warning', text: `${names}, and there is no such file` }];
    case 'unreadable':
      return [{ kind: 'warning', text: `${names}, which ${content.error.message}` }];
    case 'present': {
      const lacking = bundle.filter((one) => !isAmong(content.value, one));
      return lacking.map((one) => ({
        kind: 'note',
        text: `${names}, which lacks ${describe(one)} of ${caFile} and stays as it is`,
      }));
    }
  }
}

/** The added CAs, in a line of the plan. */
export function addedAuthorities({ added }: TrustedAuthorities): string | undefined {
  return added.length === 0 ? undefined : `also trusts ${added.map(describe).join(', ')}`;
}

/** Two CAs of one cluster often have one name: the end tells them apart. */
function describe({ subject, notAfter }: Certificate): string {
  return `the CA ${attributesOf(subject).join(', ')} (until ${isoSeconds(notAfter)})`;
}

function describeBlock(der: Buffer): string {
  try {
    return describe(parseCertificate(der));
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return `a certificate that ${error.message}`;
  }
}
