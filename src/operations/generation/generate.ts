import type { CaName, CaSpec } from '../../catalog/catalog.ts';
import { replaceFile, type CertificateRecord, type FileChange } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { InitFiles } from '../../inventory/init-files.ts';
import { createKubeconfig } from '../../kubeconfig/create.ts';
import { encodeCertificates } from '../../pki/certificate/certificate.ts';
import { issueAuthority, issueCertificate } from '../../pki/issue/issue.ts';
import { localIssuer, type LocalIssuer } from '../../pki/issue/issuer.ts';
import { validatePath } from '../../pki/path/path.ts';
import { encodePrivateKey, publicKeyOf } from '../../pki/key/private-key.ts';
import { encodePublicKey } from '../../pki/key/public-key.ts';
import { factsOf } from '../change/certificate-facts.ts';
import { initialProfile, type Naming } from './initial-profile.ts';
import { commonNameOf, serverOf, requestedNames, type RequestedNames } from '../names/node-names.ts';
import type { Fresh } from '../renewal/renew.ts';
import { authorityValidity, validityOf } from '../issuing/validity.ts';

export interface GenerationContext extends Naming {
  readonly now: Date;
  readonly validityMs: number;
  readonly authorityValidityMs: number;
}

type PairFiles = Extract<InitFiles, { kind: 'pair' }>;
type LeafSpec = Exclude<InitFiles['spec'], { kind: 'ca' | 'service-account' }>;

/** The files of one thing that was made, before they are on disk. */
export interface Generated {
  readonly files: InitFiles;
  readonly changes: readonly FileChange[];
  /** undefined: the service-account key has none. */
  readonly record: CertificateRecord | undefined;
  /** The SANs of a serving certificate. */
  readonly names: RequestedNames | undefined;
  readonly warning: string | undefined;
}

/**
 * Makes what is new, each CA before the certificates that it signs.
 * @param fresh one for each of `files`
 * @param issuers the CAs that are there
 */
export function generate(
  files: readonly { readonly files: InitFiles; readonly fresh: Fresh }[],
  issuers: ReadonlyMap<CaName, LocalIssuer>,
  context: GenerationContext,
): Generated[] {
  const known = new Map(issuers);
  return files.map(({ files: one, fresh }) => {
    if (one.kind === 'service-account') return generateServiceAccount(one, fresh);
    const { spec } = one;
    if (spec.kind === 'ca') {
      if (one.kind !== 'pair') throw new TypeError('a CA in a kubeconfig');
      const { generated, issuer } = generateAuthority(one, spec, fresh, context);
      known.set(spec.name, issuer);
      return generated;
    }
    const issuer = known.get(spec.caName);
    if (issuer === undefined) throw new TypeError(`${spec.name} was planned without its CA`);
    return generateLeaf(one, spec, issuer, fresh, context);
  });
}

function generateAuthority(
  files: PairFiles,
  { name, commonName }: CaSpec,
  { privateKey, serialNumber }: Fresh,
  { now, authorityValidityMs }: GenerationContext,
): { generated: Generated; issuer: LocalIssuer } {
  const validity = authorityValidity(now, authorityValidityMs);
  const issued = issueAuthority({ commonName, privateKey, serialNumber, ...validity });
  const paths = { certificate: files.certificate.target.path, key: files.key.target.path };
  return {
    generated: {
      files,
      changes: pairChanges(files, encodeCertificates([issued]), encodePrivateKey(privateKey)),
      record: { name, old: undefined, new: factsOf(issued) },
      names: undefined,
      warning: undefined,
    },
    issuer: localIssuer([issued], privateKey, now, paths),
  };
}

function generateLeaf(
  files: Exclude<InitFiles, { kind: 'service-account' }>,
  spec: LeafSpec,
  issuer: LocalIssuer,
  { privateKey, serialNumber }: Fresh,
  context: GenerationContext,
): Generated {
  const { now, node } = context;
  const { notBefore, notAfter, capped } = validityOf(issuer, now, context.validityMs);
  const publicKey = publicKeyOf(privateKey);
  const profile = initialProfile(spec, context);
  const issued = issueCertificate(issuer, { profile, publicKey, serialNumber, notBefore, notAfter });
  const path = validatePath(issued, [], issuer.bundle, now);
  if (path.status !== 'trusted') {
    const reason = path.status === 'untrusted' ? path.reason : 'does not chain to its CA';
    throw new KubepkiError('bad-issuer', `a certificate for ${spec.name} would be refused: it ${reason}`, {
      hint: 'put a CA in place that may sign it',
    });
  }
  const certificatePem = encodeCertificates([issued]);
  const keyPem = encodePrivateKey(privateKey);
  const kubeconfig = (): string =>
    createKubeconfig({
      clusterName: node.clusterName,
      server: serverOf(spec, node),
      userName: commonNameOf(spec, node),
      clientKeyPem: keyPem,
      clientCertificatePem: certificatePem,
      // kubeadm embeds the first certificate of ca.crt; with a bundle, the others are trusted as well.
      clusterCaPem: encodeCertificates(issuer.bundle),
    });
  return {
    files,
    changes:
      files.kind === 'pair'
        ? pairChanges(files, certificatePem, keyPem)
        : [replaceFile(files.file.target, kubeconfig(), 0o600)],
    record: { name: spec.name, old: undefined, new: factsOf(issued) },
    names: spec.subject.names === 'none' ? undefined : requestedNames(spec.subject.names, node),
    warning: capped ? `${spec.name}: ends with its CA, earlier than asked for` : undefined,
  };
}

function pairChanges({ key, certificate }: PairFiles, certificatePem: string, keyPem: string): FileChange[] {
  return [replaceFile(key.target, keyPem, 0o600), replaceFile(certificate.target, certificatePem, 0o644)];
}

function generateServiceAccount(
  files: Extract<InitFiles, { kind: 'service-account' }>,
  { privateKey }: Fresh,
): Generated {
  const { key, publicKey } = files;
  return {
    files,
    changes: [
      replaceFile(key.target, encodePrivateKey(privateKey), 0o600),
      // kubeadm gives sa.pub 0600 as well.
      replaceFile(publicKey.target, encodePublicKey(publicKeyOf(privateKey)), 0o600),
    ],
    record: undefined,
    names: undefined,
    warning: undefined,
  };
}
