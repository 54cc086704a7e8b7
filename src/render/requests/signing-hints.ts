import { shellWord } from '../../errors/shell-word.ts';

/** A request that waits for a signature, and what the CA must be told of it. */
export interface Signable {
  readonly name: string;
  /** Host paths: the CSR, and where its certificate is expected. */
  readonly request: string;
  readonly certificate: string;
  readonly ca: {
    readonly name: string;
    /** Host path. */
    readonly certificate: string;
    /** Where the CA is at home, which is not here: `etcd/ca.key`. */
    readonly key: string;
  };
  /** Extended key usages, as openssl calls them. */
  readonly usages: readonly string[];
}

/**
 * For each CA and each set of usages: who signs what, and the command that does it with openssl 3. The extensions are kubeadm's; the
 * SANs are the CSR's.
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
  // kubeadm's own (pkiutil.NewSignedCert); RFC 5280, 4.2.1.1, wants the last of them in everything that a CA signs.
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
