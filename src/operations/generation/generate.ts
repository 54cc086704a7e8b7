import type { CaName } from '../../catalog/catalog.ts';
import { replaceFile, type CertificateRecord, type FileChange } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { InitFiles } from '../../inventory/init-files.ts';
import { createKubeconfig } from '../../kubeconfig/create.ts';
import { encodeCertificates, type Certificate } from '../../pki/certificate/certificate.ts';
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

/** Something that was made but is not on disk yet. */
export interface Generated {
  readonly files: InitFiles;
  readonly changes: readonly FileChange[];
  /** undefined: the service-account key has none. */
  readonly record: CertificateRecord | undefined;
  /** Of a serving certificate. */
  readonly names: RequestedNames | undefined;
  readonly warning: string | undefined;
}

/**
 * Makes what is new, each CA before what it signs.
 * @param fresh one for each of `files`
 * @param issuers the CAs that are there
 */
export function generate(
  files: readonly { readonly files: InitFiles; readonly fresh: Fresh }[],
  issuers: ReadonlyMap<CaName, LocalIssuer>,
  context: GenerationContext,
): Generated[] {
  const known = new Map(issuers);
  return files.map((one) => {
    const { spec } = one.files;
    if (one.files.kind === 'service-account') return generateServiceAccount(one.files, one.fresh);
    if (spec.kind === 'ca' && one.files.kind === 'pair') {
      const { generated, issuer } = generateAuthority(one.files, one.fresh, context);
      known.set(spec.name, issuer);
      return generated;
    }
    if (spec.kind === 'ca' || spec.kind === 'service-account') throw new TypeError('neither CA nor leaf');
    const issuer = known.get(spec.caName);
    if (issuer === undefined) throw new TypeError(`${spec.name} was planned without its CA`);
    return generateLeaf({ files: one.files, spec }, issuer, one.fresh, context);
  });
}

function generateAuthority(
  files: Extract<InitFiles, { kind: 'pair' }>,
  { privateKey, serialNumber }: Fresh,
  { now, authorityValidityMs }: GenerationContext,
): { generated: Generated; issuer: LocalIssuer } {
  const { spec, certificate, key } = files;
  if (spec.kind !== 'ca') throw new TypeError('a leaf is no CA');
  const { commonName } = spec;
  const validity = authorityValidity(now, authorityValidityMs);
  const issued = issueAuthority({ commonName, privateKey, serialNumber, ...validity });
  return {
    generated: {
      files,
      changes: [
        replaceFile(key.target, encodePrivateKey(privateKey), 0o600),
        replaceFile(certificate.target, encodeCertificates([issued]), 0o644),
      ],
      record: { name: spec.name, old: undefined, new: factsOf(issued) },
      names: undefined,
      warning: undefined,
    },
    issuer: localIssuer([issued], privateKey, now, {
      certificate: certificate.target.path,
      key: key.target.path,
    }),
  };
}

interface LeafFiles {
  readonly files: InitFiles;
  readonly spec: Exclude<InitFiles['spec'], { kind: 'ca' | 'service-account' }>;
}

function generateLeaf(
  { files, spec }: LeafFiles,
  issuer: LocalIssuer,
  { privateKey, serialNumber }: Fresh,
  context: GenerationContext,
): Generated {
  const { now, node } = context;
  const { subject } = spec;
  const names = requestedNames(subject.names, node);
  const commonName = commonNameOf(spec, node);
  const validity = validityOf(issuer, now, context.validityMs);
  const issued = issueCertificate(issuer, {
    profile: initialProfile(spec, context),
    publicKey: publicKeyOf(privateKey),
    serialNumber,
    notBefore: validity.notBefore,
    notAfter: validity.notAfter,
  });
  const path = validatePath(issued, [], issuer.bundle, now);
  if (path.status !== 'trusted') {
    const reason = path.status === 'untrusted' ? path.reason : 'does not chain to its CA';
    throw new KubepkiError('bad-issuer', `a certificate for ${spec.name} would be refused: it ${reason}`, {
      hint: 'put a CA in place that may sign it',
    });
  }
  return {
    files,
    changes: changesOf(files, issued, issuer, encodePrivateKey(privateKey), {
      clusterName: node.clusterName,
      server: serverOf(spec, node),
      userName: commonName,
    }),
    record: { name: spec.name, old: undefined, new: factsOf(issued) },
    names: subject.names === 'none' ? undefined : names,
    warning: validity.capped ? `${spec.name}: ends with its CA, earlier than asked for` : undefined,
  };
}

function changesOf(
  files: InitFiles,
  issued: Certificate,
  issuer: LocalIssuer,
  keyPem: string,
  kubeconfig: { readonly clusterName: string; readonly server: string; readonly userName: string },
): FileChange[] {
  const certificatePem = encodeCertificates([issued]);
  switch (files.kind) {
    case 'pair':
      return [
        replaceFile(files.key.target, keyPem, 0o600),
        replaceFile(files.certificate.target, certificatePem, 0o644),
      ];
    case 'kubeconfig': {
      const text = createKubeconfig({
        ...kubeconfig,
        clientKeyPem: keyPem,
        clientCertificatePem: certificatePem,
        // kubeadm embeds the first certificate of ca.crt; with a bundle, the others are trusted as well.
        clusterCaPem: encodeCertificates(issuer.bundle),
      });
      return [replaceFile(files.file.target, text, 0o600)];
    }
    case 'service-account':
      throw new TypeError('the service-account key has no certificate');
  }
}

function generateServiceAccount(
  files: Extract<InitFiles, { kind: 'service-account' }>,
  { privateKey }: Fresh,
): Generated {
  return {
    files,
    changes: [
      replaceFile(files.key.target, encodePrivateKey(privateKey), 0o600),
      // kubeadm gives sa.pub 0600 as well.
      replaceFile(files.publicKey.target, encodePublicKey(publicKeyOf(privateKey)), 0o600),
    ],
    record: undefined,
    names: undefined,
    warning: undefined,
  };
}
