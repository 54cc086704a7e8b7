/** Nodes whose CAs are renewed, made from {@link plannedNode}. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificateAuthorities, type CaName, type CaSpec } from '../../../src/catalog/catalog.ts';
import { readAuthorityCopies, type AuthorityCopy } from '../../../src/inventory/authority-copies.ts';
import type { Inventory } from '../../../src/inventory/inventory.ts';
import { readSigningKey } from '../../../src/inventory/issuers.ts';
import {
  planAuthorityRenewals,
  type AuthorityRenewalSettings,
  type PlannedAuthority,
} from '../../../src/operations/authority-renewal/plan-authority-renewal.ts';
import { defaultAuthorityValidityMs } from '../../../src/operations/issuing/validity.ts';
import type { Tree } from '../tree.ts';
import { now, read } from './planned-node.ts';
import { command } from './planner-settings.ts';

export function caSpec(name: CaName): CaSpec {
  const spec = certificateAuthorities.find((one) => one.name === name);
  if (spec === undefined) throw new TypeError(`no CA is called ${name}`);
  return spec;
}

export function copiesOf(inventory: Inventory): AuthorityCopy[] {
  return readAuthorityCopies(inventory.layout).flatMap((one) =>
    one.status === 'present' ? [one.value] : [],
  );
}

/** What is planned for one CA, which was named. The fixture's CAs end in 2056: so it is for fifty years. */
export function planOf(
  tree: Tree,
  name: CaName,
  more: Partial<AuthorityRenewalSettings> & { readonly inventory?: Inventory } = {},
): PlannedAuthority {
  const { inventory = read(tree), ...settings } = more;
  const [planned] = planAuthorityRenewals(inventory, [caSpec(name)], {
    now,
    validityMs: 5 * defaultAuthorityValidityMs,
    named: true,
    compromised: false,
    keys: new Map(
      inventory.authorities.map(({ spec, keyPath }) => [
        spec.name,
        readSigningKey(inventory.layout.root, keyPath).content,
      ]),
    ),
    copies: copiesOf(inventory),
    known: inventory.certificates.flatMap(({ spec, state }) =>
      state.status === 'present'
        ? state.value.chain.map((certificate) => ({ name: spec.name, certificate }))
        : [],
    ),
    command,
    ...settings,
  });
  if (planned === undefined) throw new TypeError('nothing was planned');
  return planned;
}

/**
 * Puts a certificate in the place of a CA's, for the same key, as openssl makes it: `days` may be negative.
 * @param extensions openssl's lines; the names are those of kubeadm's CAs
 */
export function opensslAuthority(
  openssl: string,
  tree: Tree,
  {
    name = 'ca',
    serial = '0x1234',
    days = 3650,
    extensions = [],
  }: {
    readonly name?: CaName;
    readonly serial?: string;
    readonly days?: number;
    readonly extensions?: readonly string[];
  } = {},
): string {
  const { baseName, commonName } = caSpec(name);
  const base = join(tree.certDir, baseName);
  execFileSync(
    openssl,
    [
      ...['req', '-x509', '-new', '-key', `${base}.key`, '-subj', `/CN=${commonName}`],
      ...['-set_serial', serial, '-days', String(days), '-out', `${base}.crt`],
      ...extensions.flatMap((one) => ['-addext', one]),
    ],
    { stdio: 'pipe' },
  );
  return readFileSync(`${base}.crt`, 'utf8');
}

/** Has openssl sign a leaf of the CA anew, for its own key. */
export function opensslLeaf(
  openssl: string,
  tree: Tree,
  leaf: string,
  { extensions, days = 300 }: { readonly extensions: readonly string[]; readonly days?: number },
): void {
  const base = join(tree.certDir, leaf);
  const [request, lines] = [`${base}.req`, `${base}.ext`];
  const run = (...args: readonly string[]): Buffer => execFileSync(openssl, args, { stdio: 'pipe' });
  run('x509', '-x509toreq', '-in', `${base}.crt`, '-signkey', `${base}.key`, '-out', request);
  writeFileSync(lines, extensions.join('\n'));
  run(
    ...['x509', '-req', '-in', request, '-CA', join(tree.certDir, 'ca.crt')],
    ...['-CAkey', join(tree.certDir, 'ca.key'), '-days', String(days), '-set_serial', '0x77'],
    ...['-extfile', lines, '-out', `${base}.crt`],
  );
}
