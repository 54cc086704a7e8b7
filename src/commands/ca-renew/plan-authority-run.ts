import { certificateAuthorities, type CaName, type CaSpec } from '../../catalog/catalog.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { readAuthorityCopies, type AuthorityCopy } from '../../inventory/authority-copies.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { readSigningKey } from '../../inventory/issuers.ts';
import { NodeFiles } from '../../inventory/node-files.ts';
import type { Reading } from '../../inventory/reading.ts';
import { readKubeletFiles } from '../../inventory/verified-files.ts';
import {
  planAuthorityRenewals,
  type KnownCertificate,
  type PlannedAuthority,
} from '../../operations/authority-renewal/plan-authority-renewal.ts';
import { defaultAuthorityValidityMs } from '../../operations/issuing/validity.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';
import type { PrivateKey } from '../../pki/key/private-key.ts';
import type { Node } from '../../node/node-options.ts';
import { readManaged } from '../../node/snapshot.ts';
import { stateOf } from '../../node/waiting.ts';
import { readRotationPlan } from '../../storage/rotation-files.ts';

export interface AuthorityRun {
  readonly now: Date;
  readonly inventory: Inventory;
  readonly plan: readonly PlannedAuthority[];
  readonly copies: readonly AuthorityCopy[];
  readonly known: readonly KnownCertificate[];
  /** Of kubeconfigs that cannot be read: they would be left behind, and so nothing is changed. */
  readonly unreadable: readonly KubepkiError[];
}

export interface AuthorityWishes {
  /** undefined: all that are here. */
  readonly named: readonly CaSpec[] | undefined;
  readonly validityMs: number | undefined;
  readonly compromised: boolean;
}

/** Reads the node's files and decides for each selected CA; what it reads it reads now. */
export function planAuthorityRun(node: Node, wishes: AuthorityWishes, now: Date): AuthorityRun {
  const { layout, config } = node;
  const { inventory } = readManaged(node);
  const specs = wishes.named ?? certificateAuthorities;
  requireNotRotated(node, specs);
  const known = knownCertificates(inventory);
  const read = readAuthorityCopies(layout);
  const copies = read.flatMap((one) => (one.status === 'present' ? [one.value] : []));
  const keys = new Map<CaName, Reading<PrivateKey>>(
    inventory.authorities
      .filter(({ spec }) => specs.includes(spec))
      .map(({ spec, keyPath }) => [spec.name, readSigningKey(layout.root, keyPath).content]),
  );
  const plan = planAuthorityRenewals(inventory, specs, {
    now,
    validityMs: wishes.validityMs ?? config?.caCertificateValidityMs ?? defaultAuthorityValidityMs,
    named: wishes.named !== undefined,
    compromised: wishes.compromised,
    keys,
    copies,
    known,
    command: commandLine(node.flags),
  });
  // What is wrong with a CA's own file, the plan says where that CA is asked for.
  const ofCas = new Set(inventory.authorities.map(({ certificatePath }) => certificatePath));
  return {
    ...{ now, inventory, plan, copies, known },
    unreadable: read.flatMap((one) =>
      one.status === 'unreadable' && !ofCas.has(one.error.file ?? '') ? [mayHoldIt(one.error)] : [],
    ),
  };
}

function mayHoldIt(error: KubepkiError): KubepkiError {
  const { code, message, file, hint = 'mend it, or move it away' } = error;
  return new KubepkiError(code, `${message} (so the CA that it may hold cannot be replaced there)`, {
    ...{ file, hint, cause: error },
  });
}

/** The certificates of this node that a CA may have signed, with the intermediates that come with them. */
function knownCertificates(inventory: Inventory): KnownCertificate[] {
  const { layout, certificates, etcdClient } = inventory;
  const managed = [...certificates, ...(etcdClient === undefined ? [] : [etcdClient.leaf])].map(
    ({ spec: { name }, state }): [string, Reading<Chain>] => [
      name,
      state.status === 'present' ? { status: 'present', value: state.value.chain } : state,
    ],
  );
  const { client, serving } = readKubeletFiles(
    layout,
    new NodeFiles(layout.root, inventory, undefined),
    false,
  );
  const kubelets: readonly [string, Reading<Chain>][] = [
    [client.path, client.certificate],
    [serving.target.path, serving.content],
  ];
  return [...managed, ...kubelets].flatMap(([name, chain]) =>
    chain.status === 'present' ? chain.value.map((certificate) => ({ name, certificate })) : [],
  );
}

/** @throws KubepkiError conflict: the stages of a rotation know the certificates that they began with */
function requireNotRotated(node: Node, specs: readonly CaSpec[]): void {
  const rotation = readRotationPlan(stateOf(node));
  const names = rotation?.plan.authorities
    .map(({ name }) => name)
    .filter((name) => specs.some((spec) => spec.name === name));
  if (rotation === undefined || names === undefined || names.length === 0) return;
  throw new KubepkiError('conflict', `${names.join(', ')}: is being rotated, and is not renewed meanwhile`, {
    file: rotation.target.path,
    hint: `bring that to its end, or take it back: ${commandLine(node.flags)('ca status')}`,
  });
}
