import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import type { CertificateFile } from '../../inventory/certificate-files.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { Slot } from '../../inventory/reading.ts';
import type { PendingFiles } from '../../inventory/request-files.ts';
import { fingerprintOf, parseCertificates } from '../../pki/certificate/certificate.ts';
import { parseRequest } from '../../pki/request/certification-request.ts';
import type { PrivateKey } from '../../pki/key/private-key.ts';
import { certificateInUse } from '../change/facts-in-use.ts';

/** The certificate that a signer has issued for a request. */
interface Answer {
  readonly spec: CertificateSpec;
  /** The name of the CertificateSigningRequest. */
  readonly name: string;
  /** PEM. */
  readonly request: string;
  /** PEM, as the API gave it. */
  readonly certificate: string;
  readonly key: Slot<PrivateKey>;
}

/** An answer as files: `install` checks them as if a person had brought them. */
export interface AnswerFiles {
  readonly waiting: PendingFiles;
  readonly certificate: CertificateFile;
}

/** The text that messages have in the place of a file's name; there is no such file. */
export function answerSource(name: string): string {
  return `CertificateSigningRequest ${name}`;
}

export function answerFiles({ spec, name, request, certificate, key }: Answer): AnswerFiles {
  const path = answerSource(name);
  const target: FileTarget = { path, resolvedPath: path, before: undefined };
  const csr = naming(path, () => parseRequest(Buffer.from(request)));
  const chain = naming(path, () => parseCertificates(Buffer.from(certificate)));
  return {
    waiting: {
      spec,
      request: { target, content: { status: 'present', value: csr } },
      // Its key is in the state directory, which is ours alone.
      keys: [{ ...key, certificatePath: path, isInReach: false }],
      certificatePaths: [path],
      otherPaths: [],
    },
    certificate: { target, content: { status: 'present', value: chain } },
  };
}

/**
 * Another run may have renewed the certificate while the request waited. That certificate is newer than the answer.
 * @param replaces fingerprint of the certificate that was in use when the request was made
 * @throws KubepkiError conflict
 */
export function requireUnchanged(inventory: Inventory, spec: CertificateSpec, replaces: string): void {
  const found = certificateInUse(inventory, spec);
  if (found !== undefined && fingerprintOf(found) === replaces) return;
  const became = found === undefined ? 'gone' : 'been replaced';
  const message = `the certificate for ${spec.name} has ${became} since another was asked for`;
  throw new KubepkiError('conflict', message);
}

/** The longest DNS subdomain (RFC 1123), which the name of an object of the API must be. */
const longest = 253;

/**
 * The name of a CertificateSigningRequest tells the approver which node and which certificate it is for.
 * @param suffix lower-case letters and digits, by which no other run gives the same name
 */
export function requestName(node: string, certificate: string, suffix: string): string {
  const tail = `${label(certificate)}-${suffix}`;
  const room = longest - 'kubepki-'.length - tail.length - 1;
  const head = label(node).slice(0, room).replace(/-+$/, '');
  return ['kubepki', ...(head === '' ? [] : [head]), tail].join('-');
}

/** A dot becomes a dash, too: the parts between dots would have to begin and end with a letter or a digit. */
function label(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
}
