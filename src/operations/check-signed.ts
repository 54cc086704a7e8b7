import type { CertificateSpec } from '../catalog/catalog.ts';
import { isCa, type Certificate } from '../pki/certificate.ts';
import { unhandledExtension } from '../pki/critical-extensions.ts';
import { missingUsages } from '../pki/extended-key-usage.ts';
import { findExtension, type Extension } from '../pki/extension.ts';
import { hasNegativeSerial } from '../pki/facts.ts';
import { assertsKeyUsage } from '../pki/key-usage.ts';
import { attributesOf } from '../pki/name.ts';
import type { PathOutcome } from '../pki/path.ts';
import { isSoundAlgorithm } from '../pki/signature-algorithm.ts';
import { parseSubjectAltName } from '../pki/subject-alt-name.ts';
import { isoSeconds } from '../pki/time.ts';

/** What was asked of the CA. */
export interface Asked {
  /** DER of the Name. */
  readonly subject: Buffer;
  readonly subjectAltName: Extension | undefined;
}

/** What is wrong with a signed certificate, and what the CA must do differently. */
export interface Fault {
  /** Only `names` can be allowed. */
  readonly kind:
    'issuer' | 'signature' | 'validity' | 'subject' | 'names' | 'nameless' | 'usages' | 'ca' | 'form';
  readonly message: string;
  readonly hint: string;
}

export interface SigningContext {
  readonly spec: CertificateSpec;
  /** From the certificate to the CA it belongs to. */
  readonly path: PathOutcome;
  /** That CA's file, for messages. */
  readonly caFile: string;
  readonly now: Date;
}

export function faultsOf(
  leaf: Certificate,
  asked: Asked,
  { spec, path, caFile, now }: SigningContext,
): Fault[] {
  return [
    ...issuerFaults(path, caFile),
    ...signatureFaults(leaf, path),
    ...validityFaults(leaf, now),
    ...subjectFaults(leaf, asked),
    ...nameFaults(leaf, asked, spec),
    ...usageFaults(leaf, spec),
    ...caFaults(leaf),
    ...formFaults(leaf),
  ];
}

function issuerFaults(path: PathOutcome, caFile: string): Fault[] {
  const behind = 'where an intermediate CA signs, put its certificate behind the leaf in the same file';
  switch (path.status) {
    case 'trusted':
      return [];
    case 'unrelated':
      return [
        {
          kind: 'issuer',
          message: `is not signed by the CA of ${caFile}`,
          hint: `sign the CSR with the key of ${caFile}; ${behind}`,
        },
      ];
    case 'untrusted':
      return [
        {
          kind: 'issuer',
          message: path.reason,
          hint: `sign the CSR with a valid CA that leads to ${caFile}; ${behind}`,
        },
      ];
  }
}

function signatureFaults(leaf: Certificate, path: PathOutcome): Fault[] {
  const signed = [leaf, ...(path.status === 'trusted' ? path.intermediates : [])];
  if (signed.every(({ signatureAlgorithm }) => isSoundAlgorithm(signatureAlgorithm))) return [];
  return [
    {
      kind: 'signature',
      message: 'is signed with an algorithm that Kubernetes refuses, such as SHA-1 or MD5',
      hint: 'the CA must sign with SHA-256 or better (openssl ca: default_md = sha256)',
    },
  ];
}

// RFC 5280, 4.1.2.5: both ends belong to the period.
function validityFaults({ notBefore, notAfter }: Certificate, now: Date): Fault[] {
  if (notAfter.getTime() < now.getTime()) {
    return [
      {
        kind: 'validity',
        message: `expired on ${isoSeconds(notAfter)}`,
        hint: 'have the CSR signed again, with an end in the future',
      },
    ];
  }
  if (notBefore.getTime() <= now.getTime()) return [];
  return [
    {
      kind: 'validity',
      message: `is not valid before ${isoSeconds(notBefore)}`,
      hint: "have it signed with a beginning in the past, or check this machine's clock and the CA's",
    },
  ];
}

// Kubernetes takes CN for the user and O for the groups: another subject is another identity.
function subjectFaults(leaf: Certificate, asked: Asked): Fault[] {
  const difference = differenceOf(attributesOf(asked.subject), attributesOf(leaf.subject));
  if (difference === undefined) return [];
  return [
    {
      kind: 'subject',
      message: `has another subject than the CSR: ${difference}`,
      hint: 'the CA must take the subject from the CSR as it is (openssl ca: a policy that lets every field through)',
    },
  ];
}

function nameFaults(leaf: Certificate, asked: Asked, { usages }: CertificateSpec): Fault[] {
  const found = parseSubjectAltName(findExtension(leaf.extensions, 'subjectAltName'));
  const difference = differenceOf(parseSubjectAltName(asked.subjectAltName), found);
  if (difference === undefined) return [];
  const message = `has other SANs than the CSR: ${difference}`;
  const hint =
    'the CA must copy the SANs from the CSR (openssl ca: copy_extensions = copy; certtool: honor_crq_extensions)';
  // RFC 6125, 6.4.4, and Go since 1.17: without a name among the SANs no client accepts a server, so nobody may want it.
  const nameless = usages.includes('serverAuth') && !found.some((name) => /^(?:DNS|IP):/.test(name));
  return nameless
    ? [{ kind: 'nameless', message, hint }]
    : [{ kind: 'names', message, hint: `${hint}; if the difference is wanted: --allow-changes` }];
}

function usageFaults(leaf: Certificate, { usages }: CertificateSpec): Fault[] {
  const missing = missingUsages(leaf, usages);
  if (missing.length === 0) return [];
  return [
    {
      kind: 'usages',
      message: `lacks the extended key usage ${missing.join(' and ')}`,
      hint: `the CA must set extendedKeyUsage to ${usages.join(', ')} (the CSR does not ask for it)`,
    },
  ];
}

// RFC 5280, 4.2.1.9 and 4.2.1.3: with either, whoever has this key could sign certificates for the whole cluster.
function caFaults(leaf: Certificate): Fault[] {
  if (!isCa(leaf) && assertsKeyUsage(leaf, 'keyCertSign') !== true) return [];
  return [
    {
      kind: 'ca',
      message: isCa(leaf) ? 'is a CA certificate (CA:TRUE)' : 'may sign certificates (keyCertSign)',
      hint: 'the CA must set basicConstraints to CA:FALSE and leave keyCertSign out of keyUsage',
    },
  ];
}

// What Go's crypto/x509 does not even parse or, by RFC 5280, 4.2, must refuse.
function formFaults(leaf: Certificate): Fault[] {
  const unhandled = unhandledExtension(leaf);
  return [
    ...(unhandled === undefined
      ? []
      : [
          {
            kind: 'form' as const,
            message: `has ${unhandled}`,
            hint: 'the CA must leave it out, or not mark it critical',
          },
        ]),
    ...(hasNegativeSerial(leaf)
      ? [
          {
            kind: 'form' as const,
            message: 'has a negative serial number',
            hint: 'the CA must use positive serial numbers (RFC 5280, 4.1.2.2)',
          },
        ]
      : []),
  ];
}

/** `missing X, added Y`; undefined when both hold the same. */
function differenceOf(asked: readonly string[], found: readonly string[]): string | undefined {
  const missing = asked.filter((one) => !found.includes(one));
  const added = found.filter((one) => !asked.includes(one));
  const parts = [
    ...(missing.length === 0 ? [] : [`missing ${missing.join(', ')}`]),
    ...(added.length === 0 ? [] : [`added ${added.join(', ')}`]),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}
