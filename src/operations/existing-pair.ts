import { kubeletKubeconfig, type CertificateSpec } from '../catalog/catalog.ts';
import type { CommandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import { isCa, type Certificate, type Chain } from '../pki/certificate.ts';
import { missingUsages } from '../pki/extended-key-usage.ts';
import { findExtension } from '../pki/extension.ts';
import { validatePath } from '../pki/path.ts';
import { publicKeyOf, type PrivateKey } from '../pki/private-key.ts';
import { parseSubjectAltName, subjectAltName } from '../pki/subject-alt-name.ts';
import { isSameKey } from '../pki/subject-key.ts';
import { isoSeconds } from '../pki/time.ts';
import type { KnownAuthority } from './authority-state.ts';
import { covers } from './name-uses.ts';
import { requestedNames, type NodeIdentity } from './requested-names.ts';

export interface ExistingPair {
  readonly spec: CertificateSpec;
  readonly chain: Chain;
  readonly key: PrivateKey;
  /** Of the certificate, and of the key; the same for a kubeconfig. */
  readonly file: string;
  readonly keyFile: string;
}

/**
 * What kubeadm checks of a certificate that is there, and more: kubeadm looks at neither the key nor the end.
 * @throws KubepkiError foreign-issuer, bad-certificate, conflict
 */
export function requireSoundPair(
  { spec, chain, key, file, keyFile }: ExistingPair,
  authority: KnownAuthority,
  { now, command }: { readonly now: Date; readonly command: CommandLine },
): void {
  const [leaf, ...others] = chain;
  // The kubelet renews its own: kubeadm's commands, and ours, do not.
  const again =
    spec === kubeletKubeconfig
      ? 'move it away, and it is made anew'
      : command(`renew ${spec.name}${authority.kind === 'external' ? ' --csr-only' : ''}`);
  const path = validatePath(leaf, others, authority.bundle, now);
  if (path.status === 'unrelated') {
    throw new KubepkiError('foreign-issuer', `is not signed by the CA of ${authority.file}`, {
      file,
      hint: `put the CA certificate in place that signed it, or have it signed by this one: ${again}`,
    });
  }
  if (path.status === 'untrusted') {
    throw new KubepkiError('bad-issuer', path.reason, { file, hint: 'put the CA of this cluster in place' });
  }
  if (isCa(leaf)) {
    throw new KubepkiError('bad-certificate', 'is a CA certificate, not a leaf', {
      file,
      hint: 'put a certificate of its own in place, or move it away to have one made',
    });
  }
  const usages = missingUsages(leaf, spec.usages);
  if (usages.length > 0) {
    throw new KubepkiError('bad-certificate', `lacks the extended key usage ${usages.join(' and ')}`, {
      file,
      hint: 'put a certificate with it in place, or move this one and its key away to have one made',
    });
  }
  if (!isSameKey(leaf.publicKey, publicKeyOf(key))) {
    throw new KubepkiError('conflict', 'is not the key of its certificate', {
      file: keyFile,
      hint: `put the key and the certificate of one pair in place, or make a new one: ${again}`,
    });
  }
  if (leaf.notAfter.getTime() < now.getTime()) {
    throw new KubepkiError('bad-certificate', `expired on ${isoSeconds(leaf.notAfter)}`, {
      file,
      hint: `renew it: ${again}`,
    });
  }
  if (leaf.notBefore.getTime() > now.getTime()) {
    throw new KubepkiError('bad-certificate', `is not valid before ${isoSeconds(leaf.notBefore)}`, {
      file,
      hint: "check this machine's clock",
    });
  }
}

/** kubeadm does not notice that the configuration has got another name (kubernetes/kubeadm#1447). */
export function missingNames(leaf: Certificate, spec: CertificateSpec, node: NodeIdentity): string[] {
  const { dnsNames, ipAddresses } = requestedNames(spec.subject.names, node);
  const wanted = parseSubjectAltName(subjectAltName(dnsNames, ipAddresses));
  const found = parseSubjectAltName(findExtension(leaf.extensions, 'subjectAltName'));
  return wanted.filter((name) => !found.some((san) => covers(san, name)));
}
