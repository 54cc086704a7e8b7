import { createHash, createPublicKey, sign, verify, X509Certificate, type KeyObject } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket, type DetailedPeerCertificate } from 'node:tls';
import type { Identity } from './answer.ts';
import { isTrustedClient } from './pem.ts';
import type { Place } from './resources.ts';

function secured(socket: Socket): TLSSocket {
  if (socket instanceof TLSSocket) return socket;
  throw new Error('it is no TLS connection');
}

/** The certificates that a client has shown, the leaf first. */
export function shownBy(socket: Socket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let one = secured(socket).getPeerCertificate(true) as DetailedPeerCertificate | undefined;
  while (one?.raw !== undefined && !chain.some(({ raw }) => raw.equals(one?.raw ?? Buffer.alloc(0)))) {
    chain.push(new X509Certificate(one.raw));
    one = one.issuerCertificate;
  }
  return chain;
}

type Subject = Readonly<Record<string, unknown>>;

/** @param roots the CAs as they are now: a connection that was made under others is judged anew with each request */
export function identityByCertificate(
  socket: Socket,
  roots: readonly X509Certificate[],
): Identity | 'none' | 'refused' {
  const shown = shownBy(socket);
  if (shown.length === 0) return 'none';
  if (!isTrustedClient(shown, roots)) return 'refused';
  const { subject } = secured(socket).getPeerCertificate() as { readonly subject: Subject };
  const organisations = [subject['O'] ?? []].flat().map(String);
  return { username: String(subject['CN']), groups: [...organisations, 'system:authenticated'] };
}

const prefix = 'system:serviceaccount:';

/** Tokens of service accounts (JWT). */
export class Tokens {
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #signing: KeyObject;

  /** @param publicKeys PEM, one key or several */
  constructor(publicKeys: string, signing: KeyObject) {
    const blocks = publicKeys.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? [];
    this.#keys = new Map(blocks.map((pem) => createPublicKey(pem)).map((key) => [keyId(key), key]));
    this.#signing = signing;
  }

  issue(namespace: string, name: string, expirationSeconds: number): string {
    const now = Math.floor(Date.now() / 1000);
    const isRsa = this.#signing.asymmetricKeyType === 'rsa';
    const header = { alg: isRsa ? 'RS256' : 'ES256', kid: keyId(createPublicKey(this.#signing)) };
    const claims = { iat: now, exp: now + expirationSeconds, sub: `${prefix}${namespace}:${name}` };
    const text = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const key = { key: this.#signing, dsaEncoding: 'ieee-p1363' } as const;
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  }

  identity(token: string): Identity | 'refused' {
    const [header = '', claims = '', signature = ''] = token.split('.');
    const { kid } = parsed(header);
    const key = this.#keys.get(String(kid));
    const text = Buffer.from(`${header}.${claims}`);
    const by = key && ({ key, dsaEncoding: 'ieee-p1363' } as const);
    if (by === undefined || !verify('sha256', text, by, Buffer.from(signature, 'base64url')))
      return 'refused';
    const { sub, exp } = parsed(claims);
    if (Number(exp) * 1000 < Date.now()) return 'refused';
    const [namespace = ''] = String(sub).slice(prefix.length).split(':');
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
    return { username: String(sub), groups };
  }

  /** For `/openid/v1/jwks`. */
  published(): object {
    const keys = [...this.#keys].map(([kid, key]) => ({ use: 'sig', kid, ...key.export({ format: 'jwk' }) }));
    return { keys };
  }
}

function parsed(part: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

/** As Kubernetes documents it (Service Account Issuer Discovery): the SHA-256 of the key, in base64url. */
function keyId(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('base64url');
}

const all = ['system:masters', 'kubeadm:cluster-admins'];
const components = ['system:kube-controller-manager', 'system:kube-scheduler', 'system:kube-aggregator'];

/** RBAC and the node authorizer, as far as the cluster of the tests needs them. */
export function may(
  { username, groups }: Identity,
  method: string,
  path: string,
  place: Place | undefined,
): boolean {
  if (groups.some((group) => all.includes(group)) || components.includes(username)) return true;
  const isClusterInfo = place?.namespace === 'kube-public' && place.name === 'cluster-info';
  if (isClusterInfo && method === 'GET') return true;
  if (!groups.includes('system:authenticated')) return false;
  if (place === undefined) return !['/metrics', '/openid/v1/jwks'].includes(path);
  const { resource, name } = place;
  if (groups.includes('system:nodes')) {
    switch (resource.name) {
      case 'nodes':
        return name === undefined ? method === 'POST' : username === `system:node:${name}`;
      case 'leases':
        return place.namespace === 'kube-node-lease';
      case 'certificatesigningrequests':
        return (method === 'POST' && name === undefined) || (method === 'GET' && name !== undefined);
      default:
        return method === 'GET' && ['configmaps', 'pods', 'secrets'].includes(resource.name);
    }
  }
  const [, namespace] = username.startsWith(prefix) ? username.slice(prefix.length - 1).split(':') : [];
  return method === 'GET' && resource.name === 'configmaps' && place.namespace === namespace;
}
