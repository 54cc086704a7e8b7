import { certificates, kubeletKubeconfig, type CertificateSpec } from '../catalog/catalog.ts';
import { commandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import {
  readCertificateFile,
  readCertificateFiles,
  type CertificateFile,
} from '../inventory/certificate-files.ts';
import { readInventory, type Inventory } from '../inventory/inventory.ts';
import { readKeyTargets } from '../inventory/key-targets.ts';
import { readPendingFiles, type PendingFiles } from '../inventory/pending-files.ts';
import { readPlace } from '../inventory/places.ts';
import { keysInUse, type KeysInUse } from '../operations/keys-in-use.ts';
import { planInstall, strangers, type PlannedInstall } from '../operations/plan-install.ts';
import type { Node } from './node-options.ts';
import { csrDirectory, csrFlags, type CsrDirectoryOption } from './csr-directory.ts';

export interface InstallSources extends CsrDirectoryOption {
  readonly fromBundle?: string;
  readonly allowChanges?: boolean;
}

export interface InstallRun {
  readonly inventory: Inventory;
  readonly keysInUse: KeysInUse;
  readonly plan: readonly PlannedInstall[];
  /** Host path. */
  readonly bundle: string | undefined;
  /** Files that belong to nothing that was asked for. */
  readonly strangers: readonly KubepkiError[];
}

/** What can be installed: kubelet.conf too, which `generate-csr` asks for. */
export const installable: readonly CertificateSpec[] = [...certificates, kubeletKubeconfig];

/**
 * Reads what waits and what has come back.
 * @param named undefined: everything
 * @throws KubepkiError when a directory or the bundle cannot be read
 */
export function planInstallRun(
  node: Node,
  named: readonly CertificateSpec[] | undefined,
  sources: InstallSources,
  now: Date,
): InstallRun {
  const { layout, config } = node;
  const inventory = readInventory(layout, config?.etcd ?? 'stacked');
  const directory = csrDirectory(node, sources);
  const waiting = installable.flatMap((spec) => readPendingFiles(layout, directory, spec));
  const expected = waiting.filter(({ spec }) => named === undefined || named.includes(spec));
  const bundle = sources.fromBundle === undefined ? undefined : layout.root.locate(sources.fromBundle);
  const settings = {
    now,
    allowChanges: sources.allowChanges === true,
    command: commandLine([...csrFlags(sources), ...node.flags]),
    keysInUse: keysInUse(inventory, readKeyTargets(inventory)),
    waiting,
    files: [
      ...readExpected(node, directory, expected, named),
      ...(bundle === undefined ? [] : [readBundle(node, bundle)]),
    ],
    bundle,
    placeOf: (spec: CertificateSpec) => readPlace(layout, spec),
  };
  return {
    inventory,
    keysInUse: settings.keysInUse,
    bundle,
    plan: planInstall(inventory, named ?? installable, settings),
    strangers: strangers(inventory, settings),
  };
}

/**
 * In a directory of its own every certificate counts; the cert dir, and a directory of which only some names are asked
 * for, hold others too.
 */
function readExpected(
  { layout }: Node,
  directory: string,
  expected: readonly PendingFiles[],
  named: readonly CertificateSpec[] | undefined,
): CertificateFile[] {
  const { root, certDir } = layout;
  if (named === undefined && root.resolve(directory) !== root.resolve(certDir)) {
    return readCertificateFiles(root, directory);
  }
  const paths = new Set(expected.flatMap(({ certificatePaths }) => certificatePaths));
  return [...paths].map((path) => readCertificateFile(root, path));
}

function readBundle({ layout: { root } }: Node, path: string): CertificateFile {
  const file = readCertificateFile(root, path);
  if (file.content.status === 'unreadable') throw file.content.error;
  if (file.content.status === 'present') return file;
  throw new KubepkiError('not-found', 'no such file', {
    file: path,
    hint: 'name the file with the signed certificates with --from-bundle',
  });
}
