import { findExtension } from '../../pki/extension/extension.ts';
import { describeKey, openRequest } from '../../pki/request/foreign-request.ts';
import { serverNames, type ServerName } from '../../pki/extension/subject-alt-name.ts';
import type { SigningRequest } from './signing-request.ts';

/** What a request asks for, of a kubelet's signer or another. */
export interface Asked {
  /** Such as `ECDSA P-256`. */
  readonly key: string;
  /** Such as `DNS:node-1`, `IP:192.0.2.1`. undefined: more than can be shown of all requests, see {@link askedOfAll}. */
  readonly names: readonly string[] | undefined;
}

/** @returns undefined: it is not a well-formed request */
export function askedOf({ request }: Pick<SigningRequest, 'request'>): Asked | undefined {
  try {
    const { key, extensions } = openRequest(request);
    const names = findExtension(extensions, 'subjectAltName');
    return { key: describeKey(key), names: names === undefined ? [] : serverNames(names).map(shownName) };
  } catch {
    // A list shows what there is; what is wrong with it, the decision says.
    return undefined;
  }
}

/**
 * Characters of all names together. A hundred thousand names of nodes are not as many; a requestor could
 * write more.
 */
const mostOfAll = 16 * 1024 * 1024;

/** The same for many requests, which are let go one after the other. */
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
