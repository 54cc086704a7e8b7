import { printableLines } from '../printable.ts';
import { restingSentence, type ShownLeft } from '../change/renewal.ts';
import { shellWord } from '../../errors/shell-word.ts';

export type ShownRequest =
  | ShownLeft
  | {
      readonly status: 'made' | 'pending';
      readonly longName: string;
      readonly request: string;
      readonly key: string;
      /** The path at which the signed certificate is expected. */
      readonly certificate: string;
      /** The name of the CA that must sign it, and its file. */
      readonly ca: { readonly name: string; readonly certificate: string };
      /** The extended key usages that the CA must set: the CSR asks for none. */
      readonly usages: readonly string[];
      /** The key in use has the name that the new key would have. */
      readonly besideKeyInUse: boolean;
      /** How the SANs asked for differ from the certificate's. */
      readonly sans?: string | undefined;
    };

/** The requests that wait for a CA's signature, and the command that brings the certificates home. */
export function requestLines(
  requests: readonly ShownRequest[],
  { dryRun, next }: { readonly dryRun: boolean; readonly next: string },
): string {
  const waiting = requests.some(({ status }) => status === 'made' || status === 'pending');
  return printableLines([
    ...requests.flatMap((request) => block(request, dryRun)),
    ...(dryRun ? ['', 'nothing was changed (--dry-run)'] : waiting ? closing(next) : []),
  ]);
}

function block(request: ShownRequest, dryRun: boolean): string[] {
  if (request.status === 'missing') return [`MISSING! ${request.longName}`];
  if (request.status === 'same-sans')
    return [`${request.longName} not requested: its SANs are those asked for`];
  if (request.status === 'not-due' || request.status === 'unsound') return [restingSentence(request)];
  const { status, longName, request: csr, key, certificate, ca, usages, besideKeyInUse, sans } = request;
  const made = dryRun ? 'would be requested' : 'requested';
  const what = status === 'pending' ? 'waits already, kept as it is' : made;
  return [
    `${longName} ${what}`,
    ...(sans === undefined ? [] : [`  ${sans}`]),
    `  CSR          ${csr}`,
    `  key          ${key}${besideKeyInUse ? ' (the key in use stays)' : ''}`,
    `  certificate  ${certificate} (expected here)`,
    `  CA           ${ca.name} (${ca.certificate})`,
    `  usages       ${usages.join(', ')}`,
  ];
}

function closing(next: string): string[] {
  return ['', 'Have the CSRs signed and put each certificate where it is expected. Then run:', `  ${next}`];
}

/** A request that waits for a signature, with what the CA must know of it. */
export interface Signable {
  readonly name: string;
  /** Host paths: the CSR, and where its certificate is expected. */
  readonly request: string;
  readonly certificate: string;
  readonly ca: {
    readonly name: string;
    /** Host path. */
    readonly certificate: string;
    /** Its path on the machine of the CA, which is not this one: `etcd/ca.key`. */
    readonly key: string;
  };
  /** Extended key usages, as openssl calls them. */
  readonly usages: readonly string[];
}

/**
 * A hint for each CA and each set of usages: what it signs, and the command that does it with openssl 3. The extensions are
 * kubeadm's, the SANs are the CSR's.
 */
export function signingHints(signables: readonly Signable[]): string[] {
  const groups = new Map<string, Signable[]>();
  for (const one of signables) {
    const key = JSON.stringify([one.ca.name, one.usages, suffixOf(one)]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map((group) => {
    const [{ ca, usages }] = group as [Signable];
    const names = group.map(({ name }) => name).join(', ');
    return `${ca.name} (${ca.certificate}) signs ${names} for ${usages.join(', ')}; with openssl 3: ${commandFor(group)}`;
  });
}

function suffixOf({ certificate }: Signable): string {
  return certificate.endsWith('.new') ? '.crt.new' : '.crt';
}

function commandFor(group: readonly Signable[]): string {
  const [first, ...others] = group as readonly [Signable, ...Signable[]];
  if (others.length === 0) return signing(first, shellWord(first.request), shellWord(first.certificate));
  const bases = group.map(({ request }) => shellWord(request.replace(/\.csr$/, '')));
  return `for csr in ${bases.join(' ')}; do ${signing(first, '"$csr.csr"', `"$csr${suffixOf(first)}"`)}; done`;
}

/** @param request a word for the shell, as is `certificate` */
function signing({ ca, usages }: Signable, request: string, certificate: string): string {
  // kubeadm's pkiutil.NewSignedCert sets these. RFC 5280, 4.2.1.1, wants the last one in every certificate that a CA signs.
  const extensions = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature,keyEncipherment',
    `extendedKeyUsage=${usages.join(',')}`,
    'authorityKeyIdentifier=keyid',
  ];
  return [
    `printf '%s\\n' ${extensions.join(' ')} | openssl x509 -req -in ${request} -out ${certificate}`,
    `-CA ${shellWord(ca.certificate)} -CAkey ${ca.key} -set_serial "0x$(openssl rand -hex 16)"`,
    '-days 365 -sha256 -copy_extensions copyall -extfile /dev/stdin',
  ].join(' ');
}

interface GeneratedRequests {
  readonly certDir: string;
  readonly baseNames: readonly string[];
  readonly kubeconfigDir: string;
  readonly kubeconfigs: readonly string[];
}

/** kubeadm's lines. Their order is always the same, as kubeadm's is not. */
export function generatedRequestLines(
  { certDir, baseNames, kubeconfigDir, kubeconfigs }: GeneratedRequests,
  { dryRun }: { readonly dryRun: boolean },
): string {
  const block = (directory: string, names: readonly string[]): string[] => [
    `${dryRun ? 'would generate' : 'generating'} keys and CSRs in ${directory}`,
    ...names.map((name) => `  ${name}`),
  ];
  return printableLines([
    ...block(certDir, baseNames),
    ...block(kubeconfigDir, kubeconfigs),
    ...(dryRun ? ['nothing was changed (--dry-run)'] : []),
  ]);
}

interface ShownApiRequest {
  readonly name: string;
  /** `ECDSA-P256` */
  readonly keyType: string;
  readonly usages: readonly string[];
  /** As users type it. */
  readonly validity: string;
  /** How the SANs asked for differ from the certificate's. */
  readonly sans: string | undefined;
  readonly files: readonly string[];
}

/** The requests that a signer would get. */
export function apiRequestLines(requests: readonly ShownApiRequest[], signerName: string): string {
  const lines = requests.flatMap(({ name, keyType, usages, validity, sans, files }) => [
    `would ask ${signerName} for ${name}: key ${keyType}, usages ${usages.join(', ')}, valid for ${validity}`,
    ...(sans === undefined ? [] : [`  ${sans}`]),
    ...files.map((file) => `  ${file}`),
  ]);
  return printableLines([...lines, 'nothing was asked, and nothing was changed (--dry-run)']);
}
