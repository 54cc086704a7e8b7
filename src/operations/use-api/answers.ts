import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import type { CertificateFile } from '../../inventory/certificate-files.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { PendingFiles } from '../../inventory/pending-files.ts';
import type { Slot } from '../../inventory/request-files.ts';
import { parseCertificates } from '../../pki/certificate/certificate.ts';
import { fingerprintOf } from '../../pki/certificate/facts.ts';
import type { PrivateKey } from '../../pki/key/private-key.ts';
import { parseRequest } from '../../pki/request/certification-request.ts';
import { certificateInUse } from '../change/facts-in-use.ts';

/** What a signer has made of a request. */
interface Answer {
  readonly spec: CertificateSpec;
  /** Of the CertificateSigningRequest. */
  readonly name: string;
  /** PEM. */
  readonly request: string;
  /** PEM, as the API gave it. */
  readonly certificate: string;
  readonly key: Slot<PrivateKey>;
}

/** The same as files, for what `install` does with those: each is checked as if it had come by hand. */
export interface AnswerFiles {
  readonly waiting: PendingFiles;
  readonly certificate: CertificateFile;
}

/** The name of a request where a message names a file; there is no such file. */
export function answerSource(name: string): string {
  return `CertificateSigningRequest ${name}`;
}

export function answerFiles({ spec, name, request, certificate, key }: Answer): AnswerFiles {
  const path = answerSource(name);
  const target: FileTarget = { path, resolvedPath: path, before: undefined };
  return {
    waiting: {
      spec,
      request: {
        target,
        content: { status: 'present', value: naming(path, () => parseRequest(Buffer.from(request))) },
      },
      // Its key is in the state directory, which is ours alone.
      keys: [{ ...key, certificatePath: path, isInReach: false }],
      certificatePaths: [path],
      otherPaths: [],
    },
    certificate: {
      target,
      content: {
        status: 'present',
        value: naming(path, () => parseCertificates(Buffer.from(certificate))),
      },
    },
  };
}

/**
 * Another run may have renewed the certificate while the request waited: that one is newer than what was
 * asked for.
 * @param replaces fingerprint of the certificate that was in use when it was asked for
 * @throws KubepkiError conflict
 */
export function requireUnchanged(inventory: Inventory, spec: CertificateSpec, replaces: string): void {
  const found = certificateInUse(inventory, spec);
  if (found !== undefined && fingerprintOf(found) === replaces) return;
  throw new KubepkiError(
    'conflict',
    found === undefined
      ? `the certificate for ${spec.name} has gone since another was asked for`
      : `the certificate for ${spec.name} has been replaced since another was asked for`,
  );
}

/** What a DNS subdomain may have at most (RFC 1123), which the name of an object of the API must be. */
const longest = 253;

/**
 * The name of a CertificateSigningRequest: it tells the approver which node and which certificate it is for.
 * @param suffix makes it one that no other run gives; of lower-case letters and digits
 */
export function requestName(node: string, certificate: string, suffix: string): string {
  const tail = `${label(certificate)}-${suffix}`;
  const room = longest - 'kubepki-'.length - tail.length - 1;
  const head = label(node).slice(0, room).replace(/-+$/, '');
  return ['kubepki', ...(head === '' ? [] : [head]), tail].join('-');
}

/** Dots too: what is between two of them would have to begin and end with a letter or a digit. */
function label(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
}
