import type { CaName } from '../../catalog/catalog.ts';
import type { InitSpec } from '../../catalog/init-order.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { InitFiles } from '../../inventory/init-files.ts';
import type { Reading } from '../../inventory/reading.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';
import { localIssuer, type LocalIssuer } from '../../pki/issue/issuer.ts';
import { signerProblem } from '../../pki/path/path.ts';
import { traceOf } from './init-traces.ts';
import { contentOf, lone } from './slots.ts';
import type { GenerationSettings } from './generation-settings.ts';

/** A CA while it is decided what is made. */
export type AuthorityState = KnownAuthority | UnknownAuthority;

/** A CA whose certificate is there. */
export type KnownAuthority =
  | { readonly kind: 'external'; readonly bundle: Chain; readonly file: string }
  | { readonly kind: 'local'; readonly bundle: Chain; readonly file: string; readonly issuer: LocalIssuer };

/** `new`: the CA will be made in this run; `absent`: it is not there, and was not asked for. */
type UnknownAuthority =
  { readonly kind: 'new'; readonly file: string } | { readonly kind: 'absent'; readonly file: string };

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
    const issuer = localIssuer(bundle, privateKey, settings.now, { certificate: file, key: key.target.path });
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
  throw new KubepkiError(
    'conflict',
    `no such file, but ${trace} is there: a second one would not be trusted by what exists`,
    {
      file,
      hint: `mount or restore what is missing; if a new one is wanted: ${command(`generate ${name}`)}`,
    },
  );
}

export function requireLocal(authority: AuthorityState, file: string): void {
  if (authority.kind !== 'external') return;
  throw new KubepkiError(
    'not-found',
    `no such file, and the key of ${authority.file} is not here to make it (external CA)`,
    {
      file,
      hint: 'put it in place with its key, as the CA has made it or from a backup',
    },
  );
}
