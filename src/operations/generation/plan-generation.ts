import { kubeletKubeconfig, type CaName, type CertificateSpec } from '../../catalog/catalog.ts';
import type { InitSpec } from '../../catalog/init-order.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { InitFiles } from '../../inventory/init-files.ts';
import type { Reading } from '../../inventory/reading.ts';
import { sharesAuthority } from '../places/kubeconfig-authority.ts';
import type { LocalIssuer } from '../../pki/issue/issuer.ts';
import { findExtension } from '../../pki/extension/extension.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { parseSubjectAltName } from '../../pki/extension/subject-alt-name.ts';
import {
  authorityOf,
  requireAuthority,
  requireLocal,
  requireNoTrace,
  type AuthorityState,
  type PairFiles,
  traceOf,
  contentOf,
  lone,
  type GenerationSettings,
} from './authority-state.ts';
import { checkExisting } from './existing-pair.ts';
import { initialProfile } from './initial-profile.ts';
import { requireIssuable } from '../issuing/issuable.ts';
import { covers, hostsIn, nameOf } from '../names/name-uses.ts';
import { serverOf, serversOf } from '../names/node-names.ts';
import { validityOf } from '../issuing/validity.ts';

export type PlannedGeneration =
  /**
   * - `existing`: it is there, has been checked, and stays
   * - `keyless`: the same of a CA whose key is elsewhere
   * - `left-out`: only the first node has it, and it cannot be made on this one
   */
  | {
      readonly status: 'existing' | 'keyless' | 'left-out';
      readonly spec: InitSpec;
      readonly warnings: readonly string[];
    }
  | {
      readonly status: 'new';
      readonly spec: InitSpec;
      readonly files: InitFiles;
      readonly warnings?: readonly string[];
    }
  /** With an external etcd this node does not need it. */
  | { readonly status: 'unmanaged'; readonly spec: InitSpec }
  | { readonly status: 'refused'; readonly spec: InitSpec; readonly error: KubepkiError };

export interface GenerationPlan {
  readonly planned: readonly PlannedGeneration[];
  /** The CAs that are there and can sign. */
  readonly issuers: ReadonlyMap<CaName, LocalIssuer>;
}

/**
 * Decides for each thing that `kubeadm init` makes whether it is there or will be made. A file that is there is never changed.
 * @param selected in kubeadm's order
 * @param all the files of the node, selected or not
 */
export function planGeneration(
  selected: readonly InitSpec[],
  all: readonly InitFiles[],
  settings: GenerationSettings,
): GenerationPlan {
  const authorities = new Map<CaName, Reading<AuthorityState>>();
  for (const files of all) {
    if (files.kind !== 'pair' || files.spec.kind !== 'ca') continue;
    authorities.set(files.spec.name, authorityOf(files, selected, all, settings));
  }
  const planned = selected.map((spec): PlannedGeneration => {
    if (settings.etcd === 'external' && spec.stackedEtcd) return { status: 'unmanaged', spec };
    const files = all.find((one) => one.spec === spec);
    if (files === undefined) throw new TypeError(`${spec.name} was not read`);
    try {
      const one = planOne(files, authorities, settings, all);
      return one.status === 'new'
        ? { ...one, warnings: [...(one.warnings ?? []), ...refusedBy(one, selected, all, settings)] }
        : one;
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      return { status: 'refused', spec, error };
    }
  });
  const issuers = [...authorities].flatMap(([name, state]) =>
    state.status === 'present' && state.value.kind === 'local' ? [[name, state.value.issuer] as const] : [],
  );
  return { planned, issuers: new Map(issuers) };
}

function planOne(
  files: InitFiles,
  authorities: ReadonlyMap<CaName, Reading<AuthorityState>>,
  settings: GenerationSettings,
  all: readonly InitFiles[],
): PlannedGeneration {
  const { spec } = files;
  switch (files.kind) {
    case 'service-account':
      return planServiceAccount(files, settings, all);
    case 'kubeconfig':
      return planKubeconfig(files, requireAuthority(authorities, files.spec.caName, settings), settings);
    case 'pair':
      break;
  }
  if (files.spec.kind === 'ca') {
    const { kind } = requireAuthority(authorities, files.spec.name, settings);
    if (kind === 'local') return { status: 'existing', spec, warnings: [] };
    if (kind === 'external') return { status: 'keyless', spec, warnings: [] };
    return { status: 'new', spec, files, warnings: orphans(files.spec.name, all) };
  }
  return planLeaf(files, requireAuthority(authorities, files.spec.caName, settings), settings);
}

/**
 * Warns where a new kubeconfig leads to a name that the API server's certificate does not have: its clients would refuse the
 * server. Where that certificate is selected itself, it has a warning of its own.
 */
function refusedBy(
  { spec, files }: Extract<PlannedGeneration, { status: 'new' }>,
  selected: readonly InitSpec[],
  all: readonly InitFiles[],
  { node, command }: GenerationSettings,
): string[] {
  if (files.kind !== 'kubeconfig' || spec.kind !== 'kubeconfig') return [];
  const server = all.find(
    (one) => one.kind === 'pair' && one.spec.kind === 'leaf' && one.spec.subject.names === 'apiserver',
  );
  if (server?.kind !== 'pair' || selected.includes(server.spec)) return [];
  const { content, target } = server.certificate;
  if (content.status !== 'present') return [];
  const url = serverOf(spec, node);
  const [host = ''] = hostsIn(url);
  const sans = parseSubjectAltName(findExtension(content.value[0].extensions, 'subjectAltName'));
  if (sans.some((san) => covers(san, nameOf(host)))) return [];
  return [
    `${files.file.target.path}: leads to ${url}, and ${target.path} lacks the SAN ${nameOf(host)}; to add it: ${command(`renew ${server.spec.name} --add-san ${host}`)}`,
  ];
}

/** Warns of the files that a new CA, named on the command line, has not signed. */
function orphans(name: CaName, all: readonly InitFiles[]): string[] {
  const trace = traceOf(name, all);
  return trace === undefined ? [] : [`${trace}: is there already, and is not signed by the new ${name}`];
}

function planLeaf(
  files: PairFiles,
  authority: AuthorityState,
  settings: GenerationSettings,
): PlannedGeneration {
  const { spec, certificate, key } = files;
  if (spec.kind !== 'leaf') throw new TypeError('a CA is no leaf');
  const chain = contentOf(certificate);
  const privateKey = contentOf(key);
  if (chain === undefined && privateKey === undefined) {
    requireLocal(authority, certificate.target.path);
    requireMakeable(spec, authority, certificate.target.path, settings);
    return { status: 'new', spec, files };
  }
  if (chain === undefined) throw lone(key, certificate);
  if (privateKey === undefined) throw lone(certificate, key);
  const pair = { spec, chain, key: privateKey, file: certificate.target.path, keyFile: key.target.path };
  return { status: 'existing', spec, warnings: checkExisting(pair, authority, settings) };
}

function planKubeconfig(
  files: Extract<InitFiles, { kind: 'kubeconfig' }>,
  authority: AuthorityState,
  settings: GenerationSettings,
): PlannedGeneration {
  const { spec, file } = files;
  const { target, content } = file;
  if (content.status === 'unreadable') throw content.error;
  if (content.status === 'missing') {
    // super-admin.conf: a node that is complete without it stays complete.
    if (
      authority.kind === 'external' &&
      spec !== kubeletKubeconfig &&
      spec.optional &&
      !settings.named.has(spec)
    ) {
      const warning = `${target.path}: no such file, and the key of ${authority.file} is not here to make it (external CA)`;
      return { status: 'left-out', spec, warnings: [warning] };
    }
    requireLocal(authority, target.path);
    requireMakeable(spec, authority, target.path, settings);
    return { status: 'new', spec, files };
  }
  const { kubeconfig, certificate, key, authorities } = content.value;
  for (const part of [certificate, key, authorities]) if (part.status === 'unreadable') throw part.error;
  if (certificate.status !== 'present' || key.status !== 'present') {
    const held = [kubeconfig.clientCertificate, kubeconfig.clientKey];
    const gone = held.flatMap((part) => (part.kind === 'file' ? [part.path] : []));
    if (gone.length > 0) {
      throw new KubepkiError('bad-kubeconfig', `names files that are not there: ${gone.join(', ')}`, {
        file: target.path,
        hint: 'put them in place, or move the kubeconfig away to have it made anew',
      });
    }
    throw new KubepkiError('bad-kubeconfig', 'holds no client certificate with its key', {
      file: target.path,
      hint: `bring the signed certificate home (${settings.command('install')}), or move the file away`,
    });
  }
  const pair = { spec, chain: certificate.value, key: key.value, file: target.path, keyFile: target.path };
  const warnings = checkExisting(pair, authority, settings);
  // kubeadm's words.
  const exists = `a kubeconfig file ${JSON.stringify(target.path)} exists already`;
  const isForeign =
    'bundle' in authority &&
    authorities.status === 'present' &&
    !sharesAuthority(authorities.value, authority.bundle);
  if (isForeign) {
    throw new KubepkiError('foreign-issuer', `${exists} but has got the wrong CA cert`, {
      file: target.path,
      hint: 'move it away to have it made anew, or put the CA certificate of this cluster in place',
    });
  }
  const servers = serversOf(spec, settings.node);
  const [expected] = servers;
  const { server = expected } = kubeconfig;
  if (authorities.status === 'missing') {
    warnings.push(`${target.path}: names no CA, so a client that uses it trusts those of the system`);
  }
  if (!servers.includes(server)) {
    warnings.push(`${exists} but has an unexpected API Server URL: expected: ${expected}, got: ${server}`);
  }
  return { status: 'existing', spec, warnings };
}

/** A CA that is there may not be allowed to sign the certificate. A CA that is made in the same run may sign everything. */
function requireMakeable(
  spec: CertificateSpec,
  authority: AuthorityState,
  file: string,
  settings: GenerationSettings,
): void {
  if (authority.kind !== 'local') return;
  const { now: at, validityMs } = settings;
  const validity = validityOf(authority.issuer, at, validityMs);
  const profile = initialProfile(spec, settings);
  requireIssuable(authority.issuer, { name: spec.name, profile, validity, file, at }, settings.command);
}

function planServiceAccount(
  files: Extract<InitFiles, { kind: 'service-account' }>,
  settings: GenerationSettings,
  all: readonly InitFiles[],
): PlannedGeneration {
  const { spec } = files;
  const key = contentOf(files.key);
  const publicKey = contentOf(files.publicKey);
  if (key === undefined && publicKey === undefined) {
    if (!settings.named.has(spec)) requireNoTrace(spec, files.key.target.path, all, settings);
    return { status: 'new', spec, files };
  }
  if (key === undefined) throw lone(files.publicKey, files.key);
  if (publicKey === undefined) throw lone(files.key, files.publicKey);
  if (isSameKey(publicKeyOf(key), publicKey)) return { status: 'existing', spec, warnings: [] };
  throw new KubepkiError('conflict', `is not the public key of ${files.key.target.path}`, {
    file: files.publicKey.target.path,
    hint: 'put the two halves of one pair in place, from a backup or another control-plane node',
  });
}
