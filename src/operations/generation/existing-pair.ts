import { kubeletKubeconfig, type CertificateSpec } from '../../catalog/catalog.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError, type ErrorCode } from '../../errors/error.ts';
import type { Certificate, Chain } from '../../pki/certificate/certificate.ts';
import { findExtension } from '../../pki/extension/extension.ts';
import { validatePath } from '../../pki/path/path.ts';
import type { PrivateKey } from '../../pki/key/private-key.ts';
import { parseSubjectAltName, subjectAltName } from '../../pki/extension/subject-alt-name.ts';
import type { AuthorityState, GenerationSettings, KnownAuthority } from './authority-state.ts';
import { problemsOf } from '../examination/certificate-checks.ts';
import { type CheckId, remedy } from '../examination/finding.ts';
import { covers } from '../names/name-uses.ts';
import { requestedNames, type NodeIdentity } from '../names/node-names.ts';

interface ExistingPair {
  readonly spec: CertificateSpec;
  readonly chain: Chain;
  readonly key: PrivateKey;
  /** The file of the certificate, and the key's; a kubeconfig is both. */
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
function requireSoundPair(
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
    // A warning names all names that a serving certificate lacks.
  }).find(({ check }) => check !== 'nameless');
  if (problem === undefined) return;
  const { check, message } = problem;
  const ofKey = check === 'key-other' && keyFile !== file;
  const said = ofKey ? 'is not the key of its certificate' : message;
  const external = authority.kind === 'external';
  // The kubelet renews its own: kubeadm's commands, and ours, do not.
  const hint =
    spec === kubeletKubeconfig
      ? 'move it away, and it is made anew'
      : remedy(check, { name: spec.name, external, caFile: authority.file, command });
  throw new KubepkiError(codes[check] ?? 'bad-certificate', said, { file: ofKey ? keyFile : file, hint });
}

/**
 * Checks a certificate that is there: it stays, or is an error.
 * @returns warnings
 */
export function checkExisting(
  pair: ExistingPair,
  authority: AuthorityState,
  settings: GenerationSettings,
): string[] {
  if (!('bundle' in authority)) {
    const message = `cannot be signed by the CA of ${authority.file}, which is new`;
    throw new KubepkiError('foreign-issuer', message, {
      file: pair.file,
      hint: 'move it away to have it made anew, or put the CA in place that signed it',
    });
  }
  requireSoundPair(pair, authority, settings);
  const missing = missingNames(pair.chain[0], pair.spec, settings.node);
  if (missing.length === 0) return [];
  const values = missing.map((name) => name.replace(/^(?:DNS|IP):/, '')).join(',');
  const csrOnly = authority.kind === 'external' ? ' --csr-only' : '';
  const command = settings.command(`renew ${pair.spec.name} --add-san ${values}${csrOnly}`);
  return [
    `${pair.file}: lacks SANs that the configuration asks for: ${missing.join(', ')}; to add them: ${command}`,
  ];
}

/** kubeadm does not notice that the configuration has got another name (kubernetes/kubeadm#1447). */
function missingNames(leaf: Certificate, spec: CertificateSpec, node: NodeIdentity): string[] {
  const { dnsNames, ipAddresses } = requestedNames(spec.subject.names, node);
  const wanted = parseSubjectAltName(subjectAltName(dnsNames, ipAddresses));
  const found = parseSubjectAltName(findExtension(leaf.extensions, 'subjectAltName'));
  return wanted.filter((name) => !found.some((san) => covers(san, name)));
}
