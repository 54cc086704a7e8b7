import { hostname } from 'node:os';
import { join } from 'node:path';
import type { CertificateSpec } from '../../../catalog/catalog.ts';
import type { FileTarget } from '../../../changeset/change-set.ts';
import { commandLine } from '../../../errors/command-line.ts';
import { KubepkiError } from '../../../errors/error.ts';
import type { Inventory } from '../../../inventory/inventory.ts';
import type { Slot } from '../../../inventory/reading.ts';
import type { KeySlot, RequestFiles } from '../../../inventory/request-files.ts';
import { signingFiles } from '../../../inventory/look-ups.ts';
import type { SanWish } from '../../../operations/names/change-sans.ts';
import { missingAuthority } from '../../../operations/examination/external-authority.ts';
import { installPlace, type Installable } from '../../../operations/install/plan-install.ts';
import {
  planRequests,
  type PlannedRequest,
  type Requestable,
} from '../../../operations/requests/plan-requests.ts';
import { requireReplaceable } from '../../../operations/change/replaceable.ts';
import { chooseSigner, expirationSecondsOf, requestedUsages } from '../../../operations/use-api/signers.ts';
import { endProblem } from '../../../operations/install/check-signed.ts';
import { defaultValidityMs } from '../../../operations/issuing/validity.ts';
import type { Certificate } from '../../../pki/certificate/certificate.ts';
import { pendingRequestsDirectory } from '../../../storage/pending-requests.ts';
import { requireSafeTargets } from '../../../storage/safe-targets.ts';
import { dueSettingsOf } from '../within.ts';
import { namedAlgorithm, type Node } from '../../../node/node-options.ts';
import { readManaged, type Snapshot } from '../../../node/snapshot.ts';
import { refusals } from '../../../operations/change/refusals.ts';
import { requireRestartable } from '../../../change/restart/restart-after.ts';
import { selectedSpecs, type Selection } from '../selection.ts';
import { askFlags, type ApiOptions } from './api-options.ts';
import { stateOf } from '../../../node/waiting.ts';
import { sanSettings } from '../wished-sans.ts';
import { certificateInUse } from '../../../operations/change/facts-in-use.ts';
import { findAuthority } from '../../../inventory/look-ups.ts';

/** A certificate that will be asked for. */
interface Wanted extends Pick<Installable, 'place'> {
  readonly requestable: Requestable;
  /** The one in use. */
  readonly leaf: Certificate;
  readonly usages: readonly string[];
  /** The files that will change. */
  readonly targets: readonly FileTarget[];
}

export interface ApiRun {
  readonly inventory: Inventory;
  readonly plan: readonly Exclude<PlannedRequest, { status: 'pending' }>[];
  /** Why nothing of it is asked for; empty: it is. */
  readonly errors: readonly KubepkiError[];
  readonly wanted: readonly Wanted[];
  readonly signerName: string;
  readonly expirationSeconds: number;
}

export interface ApiWishes {
  readonly selection: Selection;
  readonly sans: SanWish | undefined;
}

/**
 * Reads the node's files and decides for each selected certificate; what it reads it reads now.
 * @throws KubepkiError usage for what the signer cannot issue
 */
export function planApiRun(
  node: Node,
  { selection, sans }: ApiWishes,
  options: ApiOptions,
  now: Date,
): ApiRun {
  const snapshot = readManaged(node);
  const { inventory, keys, keysInUse } = snapshot;
  const directory = pendingRequestsDirectory(stateOf(node));
  const wanted: Wanted[] = [];
  const expirationSeconds = expirationSecondsOf(
    options.validity?.milliseconds ?? node.config?.certificateValidityMs ?? defaultValidityMs,
  );
  const plan = planRequests(
    inventory,
    selectedSpecs(selection, inventory).map((spec) => noFiles(directory, spec)),
    {
      ...dueSettingsOf(node, snapshot, selection, options, now),
      signer: 'cluster',
      // Nothing waits in files.
      requestedKeys: [],
      answers: [],
      command: commandLine([...askFlags(options), ...node.flags]),
      encryptionAlgorithm: namedAlgorithm(node),
      sans: sanSettings(sans, node, options),
      keys,
      keysInUse,
      force: false,
    },
  ).flatMap((planned): ApiRun['plan'] => {
    if (planned.status === 'pending') throw new TypeError('nothing waits in files here');
    if (planned.status !== 'requestable') return [planned];
    try {
      const one = wantedFor(snapshot, planned.requestable);
      requireLasting(one, expirationSeconds, now);
      wanted.push(one);
      return [planned];
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      return [{ status: 'refused', spec: planned.spec, error }];
    }
  });
  const command = (names: readonly string[]): string =>
    commandLine([...askFlags(options), ...node.flags])(['renew', ...names].join(' '));
  const candidates = wanted.map(({ requestable, usages }) => ({ ...requestable, usages }));
  return {
    inventory,
    plan,
    errors: refusals(plan, 'renewed'),
    wanted,
    signerName: chooseSigner(candidates, options.signerName, command),
    expirationSeconds,
  };
}

/** What `install` would refuse for want of a CA or a place is not even asked for. */
function wantedFor({ inventory, places }: Snapshot, requestable: Requestable): Wanted {
  const { spec, keyAlgorithm } = requestable;
  const authority = findAuthority(inventory, spec.caName);
  const leaf = certificateInUse(inventory, spec);
  if (authority === undefined || leaf === undefined) throw new TypeError('planned without a CA');
  if (authority.bundle.status === 'unreadable') throw authority.bundle.error;
  if (authority.bundle.status === 'missing') throw missingAuthority(authority);
  const { certificatePath: caFile, bundle } = authority;
  const place = installPlace(spec, places, { caFile, bundle: bundle.value });
  requireReplaceable(inventory, place.targets);
  place.requireRewritable();
  return {
    requestable,
    leaf,
    usages: requestedUsages(leaf, spec, keyAlgorithm),
    place,
    targets: place.targets.filter((target) => place.changing.includes(target)),
  };
}

/** kube-controller-manager's certificates begin five minutes before they are signed; a clock may be behind, too. */
const lostMs = 10 * 60_000;

/**
 * What would not be put in place when it comes is not asked for.
 * @throws KubepkiError usage
 */
function requireLasting({ requestable, leaf }: Wanted, seconds: number, now: Date): void {
  const problem = endProblem(new Date(now.getTime() + seconds * 1000 - lostMs), leaf, now);
  if (problem === undefined) return;
  const { name } = requestable.spec;
  throw new KubepkiError('usage', `a certificate for ${name} that ${problem}, is not asked for`, {
    hint: 'ask for a longer one, with --validity or in the configuration (certificateValidityPeriod)',
  });
}

/**
 * What would keep the certificates from being put in place, or used, is known before anything is asked.
 * @throws KubepkiError conflict, no-permission; bad-manifest and others for what cannot be restarted
 */
export function requirePlaceable(node: Node, { wanted, inventory }: ApiRun, options: ApiOptions): void {
  const specs = wanted.map(({ requestable }) => requestable.spec);
  requireSafeTargets(
    node.layout.root,
    wanted.flatMap(({ targets }) => targets),
    signingFiles(
      inventory,
      wanted.map(({ requestable: { spec }, place }) => ({ spec, place })),
    ),
  );
  const names = specs.map(({ name }) => name);
  requireRestartable(node, names, options);
}

/** Nothing of `--csr-only` is looked at: what waits here has a record of its own. */
function noFiles(directory: string, spec: CertificateSpec): RequestFiles {
  const base = join(directory, spec.name);
  const slot = (suffix: string): Slot<never> => {
    const path = `${base}.${suffix}`;
    return { target: { path, resolvedPath: path, before: undefined }, content: { status: 'missing' } };
  };
  const key = (suffix: string): KeySlot => ({
    ...slot(`key${suffix}`),
    certificatePath: `${base}.crt${suffix}`,
    isInReach: false,
  });
  return {
    spec,
    request: slot('csr'),
    key: key(''),
    newKey: key('.new'),
    otherPaths: [],
  };
}

/** For the names of requests: kubeadm's name of a node, unless it was given another. */
export function ownNodeName(): string {
  return hostname().trim().toLowerCase();
}
