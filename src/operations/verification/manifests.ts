import type { FileTarget } from '../../changeset/change-set.ts';
import type { AuthorityEntry } from '../../inventory/inventory.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { inUseOf } from '../examination/examination.ts';
import { lookAtEach, nothingHere, type Look, type Trouble } from './check.ts';
import { isSameAuthority } from './kubeconfigs.ts';
import type { NamedContent } from '../../inventory/verified-files.ts';
import type { Observed, ObservedFile } from './observed.ts';
import { includesKey } from './service-account.ts';
import { troubleOf } from './trouble.ts';

/** What a manifest's flag names must be in the container, and be what the flag needs. */
export function namesFilesThatAreThere({ manifestFiles }: Observed): Look {
  return lookAtEach(manifestFiles, (file): Trouble[] => {
    const { component, field, value, pod, path, content } = file;
    if (path === undefined) {
      return [
        {
          grade: 'error',
          name: component,
          file: pod.path,
          message: `${field} names ${value}, and no volume of the node is mounted there`,
          hint: 'mount the directory that holds it, or name a path that is mounted',
        },
      ];
    }
    const hint = 'restore the file, or correct the manifest';
    switch (content.status) {
      case 'present':
        return [];
      case 'missing':
        return [
          {
            grade: 'error',
            name: component,
            file: path,
            message: `no such file, and ${field} of ${pod.path} names it: ${component} does not start again`,
            hint,
          },
        ];
      case 'unreadable':
        return [troubleOf(component, path, content.error, hint)];
    }
  });
}

/**
 * A component that uses another file than the one that kubeadm manages goes on with it when that one is renewed. CAs are judged by
 * what is in them, see {@link trustsTheSigner}.
 */
export function usesWhatIsManaged({ manifestFiles, subject }: Observed): Look {
  const { inventory, keys } = subject;
  const managed = new Map<string, FileTarget>();
  for (const { kind, spec, state } of inventory.certificates) {
    if (state.status !== 'present') continue;
    managed.set(`${kind === 'leaf' ? 'certificate' : kind} ${spec.name}`, state.value.file);
    const key = kind === 'leaf' ? keys?.get(spec.name) : undefined;
    if (key !== undefined) managed.set(`key ${spec.name}`, key.target);
  }
  const judged = manifestFiles.flatMap((used) => {
    const kept = managed.get(`${used.file.kind} ${used.file.of}`);
    return kept === undefined || used.target === undefined ? [] : [{ ...used, target: used.target, kept }];
  });
  const { root } = inventory.layout;
  return lookAtEach(judged, ({ component, field, pod, target, kept }): Trouble[] =>
    target.resolvedPath === kept.resolvedPath
      ? []
      : [
          {
            grade: 'warning',
            name: component,
            file: pod.path,
            message: `${field} names ${target.path}, and kubeadm manages ${kept.path}: what is renewed there is not what ${component} uses`,
            hint: `look after ${target.path} by another means, or have the manifest name ${root.display(kept.path)}`,
          },
        ],
  );
}

/** A component trusts whom it should, if the CA that signs is among those that its flag names. */
export function trustsTheSigner({ manifestFiles, subject }: Observed): Look {
  const judged = manifestFiles.filter(({ file }) => file.kind === 'trust');
  return lookAtEach(judged, ({ component, field, pod, path, file, content }): Trouble[] => {
    const authority = authorityOf(subject, file.of);
    const signer = authority && inUseOf(authority, subject);
    const chain = chainOf(content);
    if (authority === undefined || signer === undefined || chain === undefined) return [];
    if (chain.some((one) => isSameAuthority(one, signer))) return [];
    return [
      {
        grade: 'error',
        name: component,
        file: path ?? pod.path,
        message: `does not hold the CA of ${authority.certificatePath}, and ${field} of ${component} names it`,
        hint: `have ${field} name a file with that CA`,
      },
    ];
  });
}

/**
 * kube-controller-manager signs with exactly one certificate, and its key: of a file with more, or with another key, it signs
 * nothing, and does not start again (pkg/controller/certificates/signer/ca_provider.go).
 */
export function signsWithAPair({ manifestFiles, subject }: Observed): Look {
  const certificate = manifestFiles.find(({ file }) => file.kind === 'signer');
  const key = manifestFiles.find(({ file }) => file.kind === 'signer-key');
  const chain = certificate && chainOf(certificate.content);
  if (certificate === undefined || chain === undefined) return nothingHere;
  const trouble = (file: string, message: string, hint: string): Look => ({
    looked: 1,
    troubles: [{ grade: 'error', name: certificate.component, file, message, hint }],
  });
  const path = certificate.path ?? certificate.pod.path;
  const [signer, ...others] = chain;
  if (others.length > 0) {
    return trouble(
      path,
      `holds ${String(chain.length)} certificates, and ${certificate.field} takes one: no request is signed`,
      `put the CA's own certificate alone into a file, and have ${certificate.field} name it`,
    );
  }
  const held =
    key?.content.status === 'present' && key.content.value.kind === 'key' ? key.content.value : undefined;
  if (held !== undefined && !isSameKey(signer.publicKey, publicKeyOf(held.key))) {
    return trouble(
      key?.path ?? path,
      `is not the key of ${path}: no request is signed`,
      'put the key and the certificate of one CA in place',
    );
  }
  const authority = authorityOf(subject, 'ca');
  const inUse = authority && inUseOf(authority, subject);
  return inUse === undefined || isSameAuthority(signer, inUse)
    ? { looked: 1, troubles: [] }
    : trouble(
        path,
        `is not the CA of ${authority?.certificatePath ?? 'ca.crt'}, and ${certificate.field} names it: what it signs is not trusted`,
        `have ${certificate.field} name the CA that signs`,
      );
}

/** A token is good where the API server knows the key that has signed it. */
export function knowsTheTokenKey({ manifestFiles }: Observed): Look {
  const known = manifestFiles.filter(({ file }) => file.kind === 'token-keys');
  const keys = known.flatMap(({ content }) =>
    content.status === 'present' && content.value.kind === 'public-keys' ? content.value.keys : [],
  );
  const signers = manifestFiles.filter(({ file }) => file.kind === 'token-signer');
  // One that could not be read may hold the key.
  if (keys.length === 0 || known.some(({ content }) => content.status !== 'present')) return nothingHere;
  return lookAtEach(signers, ({ component, field, path, pod, content }): Trouble[] => {
    if (content.status !== 'present' || content.value.kind !== 'key') return [];
    return includesKey(keys, publicKeyOf(content.value.key))
      ? []
      : [
          {
            grade: 'error',
            name: component,
            file: path ?? pod.path,
            message: `is the key of no --service-account-key-file of kube-apiserver: it refuses the tokens that ${component} signs (${field})`,
            hint: 'put sa.key and sa.pub of this cluster in place: all control-plane nodes have the same',
          },
        ];
  });
}

/** A component that does not run as root must be able to read its files (kubeadm's RootlessControlPlane). */
export function mayReadItsFiles({ manifestFiles }: Observed): Look {
  const judged = manifestFiles.filter(
    ({ pod: { runAs }, target }) =>
      runAs.uid !== undefined && runAs.uid !== 0 && target?.before !== undefined,
  );
  return lookAtEach(judged, ({ component, field, pod: { runAs }, path, target }): Trouble[] => {
    const facts = target?.before;
    if (facts === undefined || path === undefined) return [];
    const { mode, uid, gid } = facts;
    const bit = uid === runAs.uid ? 0o400 : runAs.gids.includes(gid) ? 0o040 : 0o004;
    if ((mode & bit) !== 0) return [];
    return [
      {
        grade: 'error',
        name: component,
        file: path,
        message: `cannot be read by ${component}, which runs as user ${String(runAs.uid)} (${field})`,
        hint: `give it to that user or one of its groups, with the mode that lets it read`,
      },
    ];
  });
}

const uncorrected = 'correct it, or bring it back from a backup';

export function manifestsThatCannotBeRead({ pods }: Observed): Look {
  const there = Object.entries(pods).filter(([, { status }]) => status !== 'missing');
  return lookAtEach(there, ([component, reading]) =>
    reading.status === 'unreadable' ? [troubleOf(component, component, reading.error, uncorrected)] : [],
  );
}

function chainOf(
  content: ObservedFile['content'],
): Extract<NamedContent, { kind: 'certificates' }>['chain'] | undefined {
  return content.status === 'present' && content.value.kind === 'certificates'
    ? content.value.chain
    : undefined;
}

function authorityOf({ inventory }: Observed['subject'], name: string): AuthorityEntry | undefined {
  return inventory.authorities.find(({ spec }) => spec.name === name);
}
