import { kubeletKubeconfig, type CaName, type CertificateSpec } from '../../catalog/catalog.ts';
import type { InitSpec } from '../../catalog/init-order.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { InitFiles } from '../../inventory/init-files.ts';
import type { Reading } from '../../inventory/reading.ts';
import { sharesAuthority } from '../places/kubeconfig-authority.ts';
import type { LocalIssuer } from '../../pki/issue/issuer.ts';
import { findExtension } from '../../pki/extension/extension.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/subject-key.ts';
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
import { missingNames, requireSoundPair, type ExistingPair } from './existing-pair.ts';
import { initialProfile } from './initial-profile.ts';
import { requireIssuable } from '../issuing/issuable.ts';
import { covers, hostsIn, nameOf } from '../names/name-uses.ts';
import { serverOf, serversOf } from '../names/node-names.ts';
import { validityOf } from '../issuing/validity.ts';

export type PlannedGeneration =
  /** It is there, has been checked, and stays. `keyless`: a CA whose key is elsewhere. */
  | { readonly status: 'existing' | 'keyless'; readonly spec: InitSpec; readonly warnings: readonly string[] }
  /** Only the first node has it, and it cannot be made on this one. */
  | { readonly status: 'left-out'; readonly spec: InitSpec; readonly warnings: readonly string[] }
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
 * Decides for each thing that `kubeadm init` makes whether it is there or will be made. What is there is never changed.
 * @param selected in kubeadm's order
 * @param all of the node, selected or not
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
    const authority = requireAuthority(authorities, files.spec.name, settings);
    switch (authority.kind) {
      case 'local':
        return { status: 'existing', spec, warnings: [] };
      case 'external':
        return { status: 'keyless', spec, warnings: [] };
      case 'new':
      case 'absent':
        return { status: 'new', spec, files, warnings: orphans(files.spec.name, all) };
    }
  }
  return planLeaf(files, requireAuthority(authorities, files.spec.caName, settings), settings);
}

/**
 * A new kubeconfig that leads to a name which the API server's certificate does not have: its clients would refuse that. Said here where
 * that certificate is not among what is asked for, and so is not looked at for itself.
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

/** A new CA that was insisted upon. */
function orphans(name: CaName, all: readonly InitFiles[]): string[] {
  const trace = traceOf(name, all);
  return trace === undefined ? [] : [`${trace}: is there already, and is not signed by the new ${name}`];
}

function planLeaf(
  { spec, certificate, key }: PairFiles,
  authority: AuthorityState,
  settings: GenerationSettings,
): PlannedGeneration {
  if (spec.kind !== 'leaf') throw new TypeError('a CA is no leaf');
  const files: InitFiles = { kind: 'pair', spec, certificate, key };
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
  { spec, file: { target, content } }: Extract<InitFiles, { kind: 'kubeconfig' }>,
  authority: AuthorityState,
  settings: GenerationSettings,
): PlannedGeneration {
  if (content.status === 'unreadable') throw content.error;
  if (content.status === 'missing') {
    // Since 1.29, on the node where `kubeadm init` ran; a node that is complete without it stays complete.
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
    return { status: 'new', spec, files: { kind: 'kubeconfig', spec, file: { target, content } } };
  }
  const { kubeconfig, certificate, key, authorities } = content.value;
  for (const part of [certificate, key, authorities]) if (part.status === 'unreadable') throw part.error;
  if (certificate.status !== 'present' || key.status !== 'present') {
    const held = [kubeconfig.clientCertificate, kubeconfig.clientKey];
    const gone = held.flatMap((part) => (part.kind === 'file' ? [part.path] : []));
    throw new KubepkiError(
      'bad-kubeconfig',
      gone.length === 0
        ? 'holds no client certificate with its key'
        : `names files that are not there: ${gone.join(', ')}`,
      {
        file: target.path,
        hint:
          gone.length === 0
            ? `bring the signed certificate home (${settings.command('install')}), or move the file away`
            : 'put them in place, or move the kubeconfig away to have it made anew',
      },
    );
  }
  const pair = { spec, chain: certificate.value, key: key.value, file: target.path, keyFile: target.path };
  const warnings = checkExisting(pair, authority, settings);
  if (authority.kind !== 'new' && authority.kind !== 'absent' && authorities.status === 'present') {
    if (!sharesAuthority(authorities.value, authority.bundle)) {
      // kubeadm's words.
      throw new KubepkiError(
        'foreign-issuer',
        `a kubeconfig file ${JSON.stringify(target.path)} exists already but has got the wrong CA cert`,
        {
          file: target.path,
          hint: 'move it away to have it made anew, or put the CA certificate of this cluster in place',
        },
      );
    }
  }
  const servers = serversOf(spec, settings.node);
  const [expected] = servers;
  const { server = expected } = kubeconfig;
  if (authorities.status === 'missing') {
    warnings.push(`${target.path}: names no CA, so a client that uses it trusts those of the system`);
  }
  return {
    status: 'existing',
    spec,
    warnings: !servers.includes(server)
      ? [
          ...warnings,
          `a kubeconfig file ${JSON.stringify(target.path)} exists already but has an unexpected API Server URL: expected: ${expected}, got: ${server}`,
        ]
      : warnings,
  };
}

/** A CA that is there may be one that must not sign it; one that is made in the same run may sign everything. */
function requireMakeable(
  spec: CertificateSpec,
  authority: AuthorityState,
  file: string,
  settings: GenerationSettings,
): void {
  if (authority.kind !== 'local') return;
  const { name } = spec;
  const { now: at, validityMs } = settings;
  const validity = validityOf(authority.issuer, at, validityMs);
  requireIssuable(authority.issuer, { name, profile: initialProfile(spec, settings), validity, file, at });
}

/** @returns warnings */
function checkExisting(
  pair: ExistingPair,
  authority: AuthorityState,
  settings: GenerationSettings,
): string[] {
  if (authority.kind === 'new' || authority.kind === 'absent') {
    throw new KubepkiError(
      'foreign-issuer',
      `cannot be signed by the CA of ${authority.file}, which is new`,
      {
        file: pair.file,
        hint: 'move it away to have it made anew, or put the CA in place that signed it',
      },
    );
  }
  requireSoundPair(pair, authority, settings);
  const missing = missingNames(pair.chain[0], pair.spec, settings.node);
  if (missing.length === 0) return [];
  const values = missing.map((name) => name.replace(/^(?:DNS|IP):/, '')).join(',');
  const csrOnly = authority.kind === 'external' ? ' --csr-only' : '';
  const command = settings.command(`renew ${pair.spec.name} --add-san ${values}${csrOnly}`);
  return [
    `${pair.file}: lacks SANs that the configuration asks for: ${missing.join(', ')}; to add them: ${command}`,
  ];
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
