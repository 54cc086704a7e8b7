import type { CaName } from '../../catalog/catalog.ts';
import type { InitSpec } from '../../catalog/init-order.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { InitFiles } from '../../inventory/init-files.ts';
import type { Reading } from '../../inventory/reading.ts';
import type { Slot } from '../../inventory/reading.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';
import { localIssuer, type LocalIssuer } from '../../pki/issue/issuer.ts';
import { authorityRemedy } from '../examination/authority-remedy.ts';
import { signerProblem } from '../../pki/path/path.ts';
import type { GenerationContext } from './generate.ts';

export interface GenerationSettings extends GenerationContext {
  readonly etcd: 'stacked' | 'external';
  /** Named on the command line, not meant by `all`: these are made even where the node shows traces of an earlier one. */
  readonly named: ReadonlySet<InitSpec>;
  readonly command: CommandLine;
}

/** What the plan knows of a CA. */
export type AuthorityState = KnownAuthority | UnknownAuthority;

/** A CA whose certificate is there. */
export type KnownAuthority =
  | { readonly kind: 'external'; readonly bundle: Chain; readonly file: string }
  | { readonly kind: 'local'; readonly bundle: Chain; readonly file: string; readonly issuer: LocalIssuer };

/** `new`: the CA will be made in this run; `absent`: it is not there, and not selected. */
interface UnknownAuthority {
  readonly kind: 'new' | 'absent';
  readonly file: string;
}

export type PairFiles = Extract<InitFiles, { kind: 'pair' }>;

export function authorityOf(
  { spec, certificate, key }: PairFiles,
  selected: readonly InitSpec[],
  all: readonly InitFiles[],
  settings: GenerationSettings,
): Reading<AuthorityState> {
  const file = certificate.target.path;
  try {
    const bundle = contentOf(certificate);
    if (bundle === undefined) {
      if (contentOf(key) !== undefined) throw lone(key, certificate);
      if (!selected.includes(spec)) return { status: 'present', value: { kind: 'absent', file } };
      if (!settings.named.has(spec)) requireNoTrace(spec, file, all, settings);
      return { status: 'present', value: { kind: 'new', file } };
    }
    const privateKey = contentOf(key);
    if (privateKey === undefined) {
      requireValidCa(bundle, file, settings.now);
      return { status: 'present', value: { kind: 'external', bundle, file } };
    }
    const { now, command } = settings;
    const issuer = localIssuer(bundle, privateKey, now, {
      certificate: file,
      key: key.target.path,
      remedy:
        spec.kind === 'ca'
          ? (one) => authorityRemedy(one, { name: spec.name, isKeyHere: true, command })
          : undefined,
    });
    return { status: 'present', value: { kind: 'local', bundle, issuer, file } };
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return { status: 'unreadable', error };
  }
}

// kubeadm's UsingExternalCA looks at the certificate before it looks for the key.
function requireValidCa(bundle: Chain, file: string, now: Date): void {
  const problems = bundle.map((certificate) => signerProblem(certificate, now));
  const [problem] = problems;
  if (problem === undefined || problems.includes(undefined)) return;
  throw new KubepkiError('bad-issuer', `holds a certificate ${problem}`, {
    file,
    hint: 'put the CA certificate of this cluster in place',
  });
}

export function requireAuthority(
  authorities: ReadonlyMap<CaName, Reading<AuthorityState>>,
  name: CaName,
  { command }: GenerationSettings,
): AuthorityState {
  const state = authorities.get(name);
  if (state?.status === 'unreadable') throw state.error;
  if (state?.status !== 'present') throw new TypeError(`the CA ${name} was not read`);
  if (state.value.kind === 'absent') {
    throw new KubepkiError('not-found', 'no such file: the CA certificate is missing', {
      file: state.value.file,
      hint: `put your own CA in place, or make one: ${command(`generate ${name}`)}`,
    });
  }
  return state.value;
}

export function requireNoTrace(
  { name }: InitSpec,
  file: string,
  all: readonly InitFiles[],
  { command }: GenerationSettings,
): void {
  const trace = traceOf(name, all);
  if (trace === undefined) return;
  const message = `no such file, but ${trace} is there: a second one would not be trusted by what exists`;
  throw new KubepkiError('conflict', message, {
    file,
    hint: `mount or restore what is missing; if a new one is wanted: ${command(`generate ${name}`)}`,
  });
}

export function requireLocal(authority: AuthorityState, file: string): void {
  if (authority.kind !== 'external') return;
  const message = `no such file, and the key of ${authority.file} is not here to make it (external CA)`;
  throw new KubepkiError('not-found', message, {
    file,
    hint: 'put it in place with its key, as the CA has made it or from a backup',
  });
}

/**
 * The first file by which a CA, or the service-account key, is known to have been here: one that it would have signed. An
 * unmounted or half-copied directory must not get a second CA, which nothing that exists would trust.
 * @returns host path; undefined: there is no such file
 */
export function traceOf(name: string, all: readonly InitFiles[]): string | undefined {
  const [first] = name === 'sa' ? serviceAccountTraces(all) : all.flatMap((files) => signedBy(name, files));
  return first;
}

function signedBy(name: string, files: InitFiles): string[] {
  if (files.kind === 'service-account' || files.spec.kind === 'ca' || files.spec.caName !== name) return [];
  return pathsOf(files);
}

// Tokens, which the service-account key signs, are no files. But a node with a kubeconfig, or with both of the API server's own
// certificates, has had a key. A single certificate may be the operator's, from before the first run.
function serviceAccountTraces(all: readonly InitFiles[]): string[] {
  const kubeconfigs = all.filter(({ kind }) => kind === 'kubeconfig').flatMap(pathsOf);
  const apiserver = ['apiserver', 'apiserver-kubelet-client'].map((name) =>
    all.filter(({ spec }) => spec.name === name).flatMap(pathsOf),
  );
  return [...kubeconfigs, ...(apiserver.every((paths) => paths.length > 0) ? apiserver.flat() : [])];
}

function pathsOf(files: InitFiles): string[] {
  const slots =
    files.kind === 'kubeconfig'
      ? [files.file]
      : files.kind === 'pair'
        ? [files.certificate, files.key]
        : [files.key, files.publicKey];
  return slots.filter(({ content }) => content.status !== 'missing').map(({ target }) => target.path);
}

/** @throws KubepkiError why it cannot be read */
export function contentOf<T>({ content }: Slot<T>): T | undefined {
  if (content.status === 'unreadable') throw content.error;
  return content.status === 'present' ? content.value : undefined;
}

/** kubeadm fails as well; it says which half it could not load. */
export function lone(half: Slot<unknown>, other: Slot<unknown>): KubepkiError {
  return new KubepkiError('conflict', `is there without ${other.target.path}`, {
    file: half.target.path,
    hint: 'put the other half in place, or move this one away',
  });
}
