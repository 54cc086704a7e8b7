import { findExtension } from '../../pki/extension.ts';
import { openRequest } from '../../pki/foreign-request.ts';
import { describeKey } from '../../pki/request-key.ts';
import { serverNames, type ServerName } from '../../pki/server-name.ts';
import type { SigningRequest } from './signing-request.ts';

/** What a request, of whatever signer, asks for. */
export interface Asked {
  /** Such as `ECDSA P-256`. */
  readonly key: string;
  /** Such as `DNS:node-1`, `IP:192.0.2.1`. */
  readonly names: readonly string[];
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

export function shownName(name: ServerName): string {
  if (name.kind === 'other') return name.shown;
  return name.kind === 'dns' ? `DNS:${name.name}` : `IP:${name.address}`;
}
