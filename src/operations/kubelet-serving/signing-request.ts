import { findExtension } from '../../pki/extension/extension.ts';
import { serverNames, type ServerName } from '../../pki/extension/subject-alt-name.ts';
import { openRequest } from '../../pki/request/foreign-request.ts';
import { describeKey } from '../../pki/request/foreign-request.ts';

/** A CertificateSigningRequest (certificates.k8s.io/v1), as far as a decision and a list need it. */
export interface SigningRequest {
  readonly name: string;
  /** undefined: the API server did not say. */
  readonly createdAt: Date | undefined;
  readonly signerName: string;
  /** The requestor, as the API server tells. */
  readonly username: string;
  readonly groups: readonly string[];
  readonly usages: readonly string[];
  readonly expirationSeconds: number | undefined;
  /** `spec.request`, decoded: PEM, if the requestor kept to the rules. */
  readonly request: Uint8Array;
  /** The types of the conditions: `Approved`, `Denied`, `Failed`. */
  readonly conditions: readonly string[];
  /** `status.certificate` is there. */
  readonly issued: boolean;
}

export const kubeletServingSigner = 'kubernetes.io/kubelet-serving';

/** What a request of any signer asks for. */
export interface Asked {
  /** `ECDSA P-256` */
  readonly key: string;
  /** `DNS:node-1`, `IP:192.0.2.1`; undefined: the names of all requests are more than can be shown, see {@link askedOfAll}. */
  readonly names: readonly string[] | undefined;
}

/** @returns undefined where the request is not well-formed */
export function askedOf({ request }: Pick<SigningRequest, 'request'>): Asked | undefined {
  try {
    const { key, extensions } = openRequest(request);
    const names = findExtension(extensions, 'subjectAltName');
    return { key: describeKey(key), names: names === undefined ? [] : serverNames(names).map(shownName) };
  } catch {
    // The list goes on; the decision says what is wrong.
    return undefined;
  }
}

/** The most characters of all names together: more than a hundred thousand nodes' names have, and less than requestors can write. */
const mostOfAll = 16 * 1024 * 1024;

/** As {@link askedOf}, for many requests, whose memory is let go one after the other. */
export function askedOfAll(): typeof askedOf {
  let left = mostOfAll;
  return (request) => {
    const asked = askedOf(request);
    if (asked?.names === undefined) return asked;
    left -= asked.names.reduce((sum, name) => sum + name.length, 0);
    return left < 0 ? { ...asked, names: undefined } : asked;
  };
}

export function shownName(name: ServerName): string {
  if (name.kind === 'other') return name.shown;
  return name.kind === 'dns' ? `DNS:${name.name}` : `IP:${name.address}`;
}

/** A stranger's text in a sentence of ours: in quotes, and no longer than a line bears. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

export function shownList(texts: readonly string[]): string {
  if (texts.length === 0) return 'none';
  const first = texts.slice(0, 5).map(shown).join(', ');
  return texts.length > 5 ? `${first} and ${String(texts.length - 5)} more` : first;
}
