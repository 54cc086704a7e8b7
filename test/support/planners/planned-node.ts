import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  certificateAuthority,
  certificates,
  kubeletKubeconfig,
  type CaName,
  type CertificateSpec,
} from '../../../src/catalog/catalog.ts';
import type { FileTarget } from '../../../src/changeset/change-set.ts';
import { FileSystemRoot } from '../../../src/filesystem/root.ts';
import { readInventory, type CertificateEntry, type Inventory } from '../../../src/inventory/inventory.ts';
import { readIssuers } from '../../../src/inventory/issuers.ts';
import { locateLayout } from '../../../src/inventory/layout.ts';
import { readPrivateKeys } from '../../../src/inventory/private-keys.ts';
import {
  encodeCertificates,
  parseCertificates,
  type Certificate,
} from '../../../src/pki/certificate/certificate.ts';
import { issueAuthority, issueCertificate, randomSerialNumber } from '../../../src/pki/issue/issue.ts';
import { localIssuer, type LocalIssuer } from '../../../src/pki/issue/issuer.ts';
import { profileOf, type CertificateProfile } from '../../../src/pki/issue/profile.ts';
import {
  encodePrivateKey,
  generatePrivateKey,
  parsePrivateKey,
  publicKeyOf,
  type PrivateKey,
} from '../../../src/pki/key/private-key.ts';
import { findExtension, type Extension } from '../../../src/pki/extension/extension.ts';
import { encodeRequest, requestCertificate } from '../../../src/pki/request/certification-request.ts';
import { copyFixture, fixturePath, type Cleanup, type Tree } from '../tree.ts';

/** When the planners are asked. The leaves of {@link plannedNode} end on 2027-11-01, and its CAs in 2056. */
export const now = new Date('2027-01-01T00:00:00Z');

export function inDays(days: number): Date {
  return new Date(now.getTime() + days * 24 * 3600 * 1000);
}

/** A key that no file holds yet, made once: a planner never asks where a key comes from. */
export const spareKey = await generatePrivateKey({ type: 'ec', curve: 'P-256' });
const strangeKey = await generatePrivateKey({ type: 'ec', curve: 'P-256' });

/** A node with a stacked etcd and ECDSA keys, without super-admin.conf, kubelet.conf and service-account key. */
export function plannedNode(t: Cleanup): Tree {
  return copyFixture(t, role);
}

const role = 'ipv6';
const directory = fixturePath(role, '.');

/** The same, to be read only: a test that changes nothing needs no copy. */
export const fixtureNode: Tree = {
  directory,
  kubeconfigDir: join(directory, 'etc/kubernetes'),
  certDir: join(directory, 'etc/kubernetes/pki'),
};

interface Reading {
  /** The command line names the kubeconfig dir or the cert dir beside it; else both are kubeadm's defaults. */
  readonly kubeconfigDirOrigin?: Inventory['layout']['kubeconfigDirOrigin'];
}

export function read(tree: Tree, { kubeconfigDirOrigin = 'beside' }: Reading = {}): Inventory {
  const root = FileSystemRoot.open(tree.directory, '/');
  const nothing = { certDir: undefined, kubeconfigDir: undefined, manifestsDir: undefined };
  return readInventory({ ...locateLayout(root, nothing), kubeconfigDirOrigin });
}

export function specOf(name: string): CertificateSpec {
  const spec = [...certificates, kubeletKubeconfig].find((one) => one.name === name);
  if (spec === undefined) throw new TypeError(`no certificate is called ${name}`);
  return spec;
}

export function entryOf(inventory: Inventory, name: string): CertificateEntry {
  const entry = inventory.certificates.find(({ spec }) => spec.name === name);
  if (entry === undefined) throw new TypeError(`no certificate is called ${name}`);
  return entry;
}

/** The certificate in use. */
export function leafOf(tree: Tree, name: string): Certificate {
  return leafIn(read(tree), name);
}

function leafIn(inventory: Inventory, name: string): Certificate {
  const { state } = entryOf(inventory, name);
  if (state.status !== 'present') throw new TypeError(`${name} is not there`);
  return state.value.chain[0];
}

/** The key in use. */
export function keyOf(tree: Tree, name: string): PrivateKey {
  return keyIn(read(tree), name);
}

function keyIn(inventory: Inventory, name: string): PrivateKey {
  // No key is opened but this one.
  const alone = { ...inventory, authorities: [], certificates: [entryOf(inventory, name)] };
  const content = readPrivateKeys(alone).get(name)?.content;
  if (content?.status !== 'present') throw new TypeError(`the key of ${name} is not there`);
  return content.value;
}

/** A path in the cert dir. */
export function pki(tree: Tree, name: string): string {
  return join(tree.certDir, name);
}

/** The CA on disk, which must be one that may sign at {@link now}. */
export function authority(tree: Tree, name: CaName): LocalIssuer {
  return authorityIn(read(tree), name);
}

function authorityIn(inventory: Inventory, name: CaName): LocalIssuer {
  const issuer = readIssuers(inventory, new Set([name]), now).get(name);
  if (issuer?.status !== 'present' || issuer.value.kind !== 'local')
    throw new TypeError(`${name} cannot sign`);
  return issuer.value;
}

/** A CA of this name that no file holds. */
export function stranger(commonName: string): LocalIssuer {
  const certificate = issueAuthority({
    commonName,
    privateKey: strangeKey,
    serialNumber: randomSerialNumber(),
    notBefore: inDays(-365),
    notAfter: inDays(3650),
  });
  return localIssuer([certificate], strangeKey, now, { certificate: 'stranger.crt', key: 'stranger.key' });
}

interface Period {
  readonly from?: Date;
  readonly until?: Date;
}

/** The CA on disk made anew from its key, for another period. */
export function remakeAuthority(tree: Tree, name: CaName, { from, until }: Period): Certificate {
  const { commonName, baseName } = certificateAuthority(name);
  const base = pki(tree, baseName);
  const [old] = parseCertificates(readFileSync(`${base}.crt`));
  const certificate = issueAuthority({
    commonName,
    privateKey: parsePrivateKey(readFileSync(`${base}.key`)),
    serialNumber: randomSerialNumber(),
    notBefore: from ?? old.notBefore,
    notAfter: until ?? old.notAfter,
  });
  writeFileSync(`${base}.crt`, encodeCertificates([certificate]));
  return certificate;
}

/** How a certificate is made; what is not said is as in the one that is there, whose key it also is for. */
export interface Issuing extends Period {
  readonly by?: LocalIssuer;
  readonly profile?: Partial<CertificateProfile>;
  readonly key?: PrivateKey;
}

export function issueFor(
  tree: Tree,
  name: string,
  { by, profile, key, from, until }: Issuing = {},
): Certificate {
  const inventory = read(tree);
  const old = leafIn(inventory, name);
  const issuer = by ?? authorityIn(inventory, specOf(name).caName);
  return issueCertificate(issuer, {
    profile: { ...profileOf(old), ...profile },
    publicKey: publicKeyOf(key ?? keyIn(inventory, name)),
    serialNumber: randomSerialNumber(),
    notBefore: from ?? old.notBefore,
    notAfter: until ?? old.notAfter,
  });
}

/** Puts such a certificate in its place, with its key where that is another one. */
export function reissue(tree: Tree, name: string, issuing: Issuing = {}): Certificate {
  const certificate = issueFor(tree, name, issuing);
  const pem = encodeCertificates([certificate]);
  const { key } = issuing;
  const spec = specOf(name);
  if (spec.kind === 'leaf') {
    writeFileSync(pki(tree, `${spec.baseName}.crt`), pem);
    if (key !== undefined) writeFileSync(pki(tree, `${spec.baseName}.key`), encodePrivateKey(key));
  } else {
    editKubeconfig(tree, name, {
      'client-certificate-data': pem,
      ...(key === undefined ? {} : { 'client-key-data': encodePrivateKey(key) }),
    });
  }
  return certificate;
}

interface Requesting {
  readonly key?: PrivateKey;
  /** false: no key is put beside it. */
  readonly keyFile?: boolean;
  /** `<name>.key.new`: `<name>.key` is a key in use. */
  readonly beside?: boolean;
  readonly subjectAltName?: Extension;
}

/** A request for what a certificate in use says, made with {@link spareKey}, and its key, as `renew --csr-only` leaves them. */
export function layRequest(tree: Tree, directory: string, name: string, requesting: Requesting = {}): void {
  const { key = spareKey, keyFile = true, beside = false } = requesting;
  const { subject, extensions } = leafOf(tree, name);
  const names = requesting.subjectAltName ?? findExtension(extensions, 'subjectAltName');
  const base = join(directory, name);
  writeFileSync(`${base}.csr`, encodeRequest(requestCertificate({ subject, subjectAltName: names }, key)));
  if (keyFile) writeFileSync(beside ? `${base}.key.new` : `${base}.key`, encodePrivateKey(key));
}

/** Gives fields of a kubeconfig another content. */
export function editKubeconfig(tree: Tree, name: string, data: Readonly<Record<string, string>>): void {
  const path = join(tree.kubeconfigDir, name);
  let text = readFileSync(path, 'utf8');
  for (const [field, content] of Object.entries(data)) {
    text = text.replace(new RegExp(`${field}: \\S+`), `${field}: ${Buffer.from(content).toString('base64')}`);
  }
  writeFileSync(path, text);
}

/** The same file, as another user's. */
export function ofAnotherUser<T extends FileTarget>(target: T, uid = 1234): T {
  const { before } = target;
  return before === undefined ? target : { ...target, before: { ...before, uid, gid: uid, foreign: true } };
}

/** The same node, but that this certificate's file, or its kubeconfig, is another user's. */
export function withForeign(inventory: Inventory, name: string): Inventory {
  return {
    ...inventory,
    certificates: inventory.certificates.map((entry): CertificateEntry => {
      if (entry.spec.name !== name || entry.state.status !== 'present') return entry;
      if (entry.kind === 'leaf') {
        const { value } = entry.state;
        return {
          ...entry,
          state: { status: 'present', value: { ...value, file: ofAnotherUser(value.file) } },
        };
      }
      const { value } = entry.state;
      return { ...entry, state: { status: 'present', value: { ...value, file: ofAnotherUser(value.file) } } };
    }),
  };
}
