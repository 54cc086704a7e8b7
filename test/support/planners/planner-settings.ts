/**
 * What the planners are given besides the inventory, as a command gives it: nothing was asked for that is not said. All
 * in one place, so that another shape of the settings is a change here alone.
 */
import type { InstallSettings } from '../../../src/operations/install/pending.ts';
import { join } from 'node:path';
import { certificateAuthorities, certificates, kubeletKubeconfig } from '../../../src/catalog/catalog.ts';
import { initSpecs, type InitSpec } from '../../../src/catalog/init-order.ts';
import { commandLine } from '../../../src/errors/command-line.ts';
import type { KubepkiError } from '../../../src/errors/error.ts';
import { FileSystemRoot } from '../../../src/filesystem/root.ts';
import { readCertificateFile, readCertificateFiles } from '../../../src/inventory/certificate-files.ts';
import { readInitFiles } from '../../../src/inventory/init-files.ts';
import type { Inventory } from '../../../src/inventory/inventory.ts';
import { readIssuers } from '../../../src/inventory/issuers.ts';
import { plannedLayout } from '../../../src/inventory/layout.ts';
import { readPendingFiles, readRequestFiles } from '../../../src/inventory/request-files.ts';
import { readPlaces } from '../../../src/inventory/places.ts';
import { readPrivateKeys } from '../../../src/inventory/private-keys.ts';
import { planGeneration, type GenerationPlan } from '../../../src/operations/generation/plan-generation.ts';
import { examination } from '../../../src/operations/examination/examination.ts';
import { planInstall, type PlannedInstall } from '../../../src/operations/install/plan-install.ts';
import { defaultAuthorityValidityMs, defaultValidityMs } from '../../../src/operations/issuing/validity.ts';
import { keysInUse } from '../../../src/operations/issuing/keys-in-use.ts';
import { planRenewals, type PlannedRenewal } from '../../../src/operations/renewal/plan-renewal.ts';
import { planRequests, type PlannedRequest } from '../../../src/operations/requests/plan-requests.ts';
import { now, specOf } from './planned-node.ts';
import type { Tree } from '../tree.ts';

export const command = commandLine([]);

type RenewalSettings = Parameters<typeof planRenewals>[2];
type RequestSettings = Parameters<typeof planRequests>[2];

const dayMs = 24 * 3600 * 1000;

/** `--within`. */
export function within(days: number): { readonly due: RenewalSettings['due'] } {
  return { due: { now, withinMs: days * dayMs } };
}

export function renewalSettings(inventory: Inventory, more: Partial<RenewalSettings> = {}): RenewalSettings {
  const keys = readPrivateKeys(inventory);
  return {
    now,
    due: undefined,
    findings: examination({ inventory, keys, now, command }),
    insisted: false,
    sans: undefined,
    validityMs: defaultValidityMs,
    encryptionAlgorithm: undefined,
    issuers: readIssuers(inventory, new Set(certificateAuthorities.map(({ name }) => name)), now),
    keys,
    command,
    ...more,
  };
}

/** What is planned for one certificate. */
export function planRenewal(
  inventory: Inventory,
  name: string,
  more: Partial<RenewalSettings> = {},
): PlannedRenewal {
  return only(planRenewals(inventory, [specOf(name)], renewalSettings(inventory, more)));
}

/** Nobody but root decides where a key lies. */
const keySettings = { requestedKeys: [], crosses: [], command };

/** Whether another user decides what lies where a key waits; undefined: as it is where the test runs. */
interface InReach {
  readonly isInReach?: boolean;
}

export function requestSettings(inventory: Inventory, more: Partial<RequestSettings> = {}): RequestSettings {
  const keys = readPrivateKeys(inventory);
  return {
    due: undefined,
    findings: examination({ inventory, keys, now, command }),
    insisted: false,
    sans: undefined,
    encryptionAlgorithm: undefined,
    ...keySettings,
    keysInUse: keysInUse(inventory, keys),
    keys,
    signer: 'by-hand',
    force: false,
    answers: [],
    ...more,
  };
}

/** What is planned for one certificate. @param directory `--csr-dir` */
export function planRequest(
  inventory: Inventory,
  directory: string,
  name: string,
  { isInReach, ...more }: Partial<RequestSettings> & InReach = {},
): PlannedRequest {
  const { root } = inventory.layout;
  const found = readRequestFiles(root, directory, specOf(name));
  const reached = isInReach === undefined ? {} : { isInReach };
  const files = { ...found, key: { ...found.key, ...reached }, newKey: { ...found.newKey, ...reached } };
  const answers = [files.key.certificatePath, files.newKey.certificatePath, ...files.otherPaths].map((path) =>
    readCertificateFile(root, path),
  );
  return only(planRequests(inventory, [files], requestSettings(inventory, { answers, ...more })));
}

/** @param directory `--csr-dir`, or the cert dir, where only what is expected counts */
export function installSettings(
  inventory: Inventory,
  directory: string,
  { isInReach, ...more }: Partial<InstallSettings> & InReach = {},
): InstallSettings {
  const { layout } = inventory;
  const keys = readPrivateKeys(inventory);
  const waiting = [...certificates, kubeletKubeconfig]
    .flatMap((spec) => readPendingFiles(layout, directory, spec))
    .map((files) =>
      isInReach === undefined ? files : { ...files, keys: files.keys.map((key) => ({ ...key, isInReach })) },
    );
  const expected = waiting.flatMap(({ certificatePaths, otherPaths }) => [
    ...certificatePaths,
    ...otherPaths,
  ]);
  return {
    now,
    allowChanges: false,
    ...keySettings,
    keysInUse: keysInUse(inventory, keys),
    keys,
    waiting,
    files:
      directory === layout.certDir
        ? [...new Set(expected)].map((path) => readCertificateFile(layout.root, path))
        : readCertificateFiles(layout.root, directory),
    bundle: undefined,
    places: readPlaces(inventory, keys),
    ...more,
  };
}

/** What is planned for one certificate. */
export function planInstallOf(
  inventory: Inventory,
  directory: string,
  name: string,
  more: Partial<InstallSettings> & InReach = {},
): PlannedInstall {
  return only(planInstall(inventory, [specOf(name)], installSettings(inventory, directory, more)));
}

type GenerationSettings = Parameters<typeof planGeneration>[2];

/** What `generate` plans, in directories that need not be there. */
export function planGenerationIn(
  { directory }: Tree,
  {
    selected,
    settings,
  }: {
    readonly selected: readonly InitSpec[];
    readonly settings: Pick<GenerationSettings, 'node' | 'etcd' | 'named'>;
  },
): GenerationPlan {
  const nothing = { certDir: undefined, kubeconfigDir: undefined, manifestsDir: undefined };
  const layout = plannedLayout(FileSystemRoot.open(directory, '/'), nothing);
  const all = initSpecs.map((spec) => readInitFiles(layout, spec));
  return planGeneration(selected, all, {
    now,
    organizations: 'current',
    validityMs: defaultValidityMs,
    authorityValidityMs: defaultAuthorityValidityMs,
    command,
    ...settings,
  });
}

/** The code, and the line that a user sees, the node's own directory left out. */
export function saidBy({ code, oneLine }: KubepkiError, { layout }: Inventory): string {
  return `${code}: ${oneLine.replaceAll(join(layout.root.directory, '/'), '/')}`;
}

function only<T>(all: readonly T[]): T {
  const [one] = all;
  if (one === undefined || all.length > 1) throw new TypeError('one certificate has one plan');
  return one;
}
