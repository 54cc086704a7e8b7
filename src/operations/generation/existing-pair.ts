import { kubeletKubeconfig, type CertificateSpec } from '../../catalog/catalog.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError, type ErrorCode } from '../../errors/error.ts';
import type { Certificate, Chain } from '../../pki/certificate/certificate.ts';
import { findExtension } from '../../pki/extension/extension.ts';
import { validatePath } from '../../pki/path/path.ts';
import type { PrivateKey } from '../../pki/key/private-key.ts';
import { parseSubjectAltName, subjectAltName } from '../../pki/extension/subject-alt-name.ts';
import type { KnownAuthority } from './authority-state.ts';
import { problemsOf } from '../examination/certificate-checks.ts';
import { type CheckId, remedy } from '../examination/finding.ts';
import { covers } from '../names/name-uses.ts';
import { requestedNames, type NodeIdentity } from '../names/node-names.ts';

export interface ExistingPair {
  readonly spec: CertificateSpec;
  readonly chain: Chain;
  readonly key: PrivateKey;
  /** Of the certificate, and of the key; the same for a kubeconfig. */
  readonly file: string;
  readonly keyFile: string;
}

const codes: Partial<Record<CheckId, ErrorCode>> = {
  foreign: 'foreign-issuer',
  untrusted: 'bad-issuer',
  'key-other': 'conflict',
};

/**
 * What kubeadm checks of a certificate that is there, and more: kubeadm looks at neither the key nor the end.
 * @throws KubepkiError foreign-issuer, bad-issuer, bad-certificate, conflict
 */
export function requireSoundPair(
  { spec, chain, key, file, keyFile }: ExistingPair,
  authority: KnownAuthority,
  { now, command }: { readonly now: Date; readonly command: CommandLine },
): void {
  const [leaf, ...others] = chain;
  const problem = problemsOf({
    chain,
    usages: spec.usages,
    path: validatePath(leaf, others, authority.bundle, now),
    caFile: authority.file,
    key: { status: 'present', value: key },
    now,
    // Which names a serving certificate lacks is said in a warning that names them all.
  }).find(({ check }) => check !== 'nameless');
  if (problem === undefined) return;
  const { check, message } = problem;
  const ofKey = check === 'key-other' && keyFile !== file;
  throw new KubepkiError(
    codes[check] ?? 'bad-certificate',
    ofKey ? 'is not the key of its certificate' : message,
    {
      file: ofKey ? keyFile : file,
      hint:
        // The kubelet renews its own: kubeadm's commands, and ours, do not.
        spec === kubeletKubeconfig
          ? 'move it away, and it is made anew'
          : remedy(check, {
              name: spec.name,
              external: authority.kind === 'external',
              caFile: authority.file,
              command,
            }),
    },
  );
}

/** kubeadm does not notice that the configuration has got another name (kubernetes/kubeadm#1447). */
export function missingNames(leaf: Certificate, spec: CertificateSpec, node: NodeIdentity): string[] {
  const { dnsNames, ipAddresses } = requestedNames(spec.subject.names, node);
  const wanted = parseSubjectAltName(subjectAltName(dnsNames, ipAddresses));
  const found = parseSubjectAltName(findExtension(leaf.extensions, 'subjectAltName'));
  return wanted.filter((name) => !found.some((san) => covers(san, name)));
}
