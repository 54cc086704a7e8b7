import { join } from 'node:path';
import { etcdClientSpec } from '../catalog/catalog.ts';
import { commandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import { exists } from '../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { readEtcdClient, type EtcdClientEntry, type Inventory } from '../inventory/inventory.ts';
import { readStaticPods } from '../inventory/kubelet/static-pods.ts';
import {
  changedAt,
  readCopies,
  readGuardedFiles,
  readKubeconfigFiles,
  readKubeletFiles,
  readNamedFile,
  readServiceAccount,
  type People,
} from '../inventory/verified-files.ts';
import { NodeFiles } from '../inventory/node-files.ts';
import { readPrivateKeys } from '../inventory/private-keys.ts';
import { reading } from '../inventory/reading.ts';
import { examination } from '../operations/examination/examination.ts';
import { manifestFiles, type ManifestFile } from '../operations/verification/manifest-files.ts';
import { reached } from '../operations/rotation/state.ts';
import type {
  Observed,
  ObservedFile,
  ObservedRotation,
  Waiting,
} from '../operations/verification/observed.ts';
import { rotationPlanPath } from '../storage/rotation-files.ts';
import { asideJournalPath, readAsideJournal, type AsideJournal } from '../storage/aside-journal.ts';
import { isLocked } from '../storage/lock.ts';
import { hasPendingHooks } from '../storage/pending-hooks.ts';
import { readPendingRestarts, unusablePendingRestarts } from '../storage/pending-restarts.ts';
import { pendingRecordPath } from '../storage/pending-requests.ts';
import { commandHere, type StateDirectory } from '../storage/state-directory.ts';
import { bootId } from '../inventory/boot-id.ts';
import type { Node } from './node-options.ts';
import { readRotatedFiles } from './rotation/rotated-files.ts';
import { readRotation } from './rotation/rotation.ts';
import { readManaged } from './snapshot.ts';
import { stateOf } from './waiting.ts';

/** What is asked of a verification. */
export interface Observing {
  /** Look at no private key. */
  readonly certsOnly: boolean;
  readonly cis: boolean;
  readonly withinMs: number;
  readonly people: People;
  readonly now: Date;
}

/** In whose homes a copy of admin.conf may be. */
export function usersHere(): string[] {
  const sudoer = process.env['SUDO_USER'];
  return ['root', ...(sudoer === undefined ? [] : [sudoer])];
}

/**
 * Reads all that a verification looks at, once.
 * @throws KubepkiError where kubeadm manages nothing
 */
export function observe(node: Node, { certsOnly, cis, withinMs, people, now }: Observing): Observed {
  const layout = { ...node.layout, root: node.layout.root.atOneMoment() };
  const { root } = layout;
  const { inventory: managed } = readManaged({ ...node, layout });
  const state = stateOf(node);
  const { away, waiting } = waitingOf(node, state);
  const pods = readStaticPods(layout, away);
  const named = manifestFiles(pods);
  const inventory = { ...managed, etcdClient: managed.etcdClient ?? etcdClientOf(managed, named) };
  const keys = certsOnly ? undefined : readPrivateKeys(inventory);
  const subject = { inventory, keys, now, command: commandLine(node.flags) };
  const files = new NodeFiles(root, inventory, keys);
  const kubeconfigs = readKubeconfigFiles(inventory, files);
  const kubelet = readKubeletFiles(layout, files, !certsOnly);
  return {
    subject,
    findings: examination(subject),
    pods,
    manifestFiles: named.map((file) => readManifestFile(file, files, !certsOnly)),
    serviceAccount: readServiceAccount(layout, files, !certsOnly),
    kubeconfigs,
    kubelet,
    copies: readCopies(files, people),
    guarded: readGuardedFiles(layout, kubeconfigs, kubelet),
    waiting,
    rotation: rotationOf(node, state),
    live: undefined,
    cluster: undefined,
    cis,
    withinMs,
  };
}

/** The certificate that kube-apiserver shows to etcd, where its manifest names another one than kubeadm's. */
function etcdClientOf(
  { layout, certificates }: Inventory,
  named: readonly ManifestFile[],
): EtcdClientEntry | undefined {
  const { root, certDir } = layout;
  const pathOf = (flag: string): string | undefined => {
    const file = named.find((one) => one.component === 'kube-apiserver' && one.flag === flag);
    return file && hostPath(root, file);
  };
  const certificatePath = pathOf('etcd-certfile');
  const keyPath = pathOf('etcd-keyfile');
  const caFile = pathOf('etcd-cafile');
  if (certificatePath === undefined || keyPath === undefined || caFile === undefined) return undefined;
  const own = `${etcdClientSpec.baseName}.crt`;
  const [used, kept] = [certificatePath, join(certDir, own)].map((path) =>
    reading(path, () => root.resolve(path)),
  );
  if (used?.status === 'present' && kept?.status === 'present' && used.value === kept.value) return undefined;
  const isTaken = certificates.some(({ spec }) => spec.name === etcdClientSpec.name);
  return readEtcdClient(layout, { certificatePath, keyPath, caFile }, isTaken ? 'etcd-client' : undefined);
}

function hostPath(root: FileSystemRoot, { nodePath }: ManifestFile): string | undefined {
  return nodePath === undefined ? undefined : root.locate(nodePath, root.directory);
}

function readManifestFile(file: ManifestFile, files: NodeFiles, withKeys: boolean): ObservedFile {
  const { root } = files;
  const path = hostPath(root, file);
  return path === undefined
    ? { ...file, path, changedAt: undefined, target: undefined, content: { status: 'missing' } }
    : {
        ...file,
        path,
        changedAt: changedAt(root, path),
        ...readNamedFile(path, files, file.file.kind, withKeys),
      };
}

interface Left {
  /** A manifest that a restart has taken away is read where it waits. */
  readonly away: AsideJournal | undefined;
  readonly waiting: readonly Waiting[];
}

/** Most nodes are in no rotation, and then nothing more is read. */
function rotationOf(node: Node, state: StateDirectory): ObservedRotation | undefined {
  const file = rotationPlanPath(state);
  const authorities = reading(file, () => {
    const rotation = readRotation(node);
    if (rotation === undefined) return undefined;
    const files = readRotatedFiles(node);
    return rotation.authorities.map((one) => ({ name: one.name, reached: reached(one, files) }));
  });
  // To another user than root the state is closed, which is told by what waits there.
  const isClosed = authorities.status === 'unreadable' && authorities.error.code === 'no-permission';
  return isClosed || authorities.status === 'missing' ? undefined : { file, authorities };
}

/** The state is root's alone: another user cannot tell what waits. */
function waitingOf(node: Node, state: StateDirectory): Left {
  const command = commandLine(node.flags);
  const recover = commandHere(state, 'recover');
  const aside = asideJournalPath(state);
  const requests = pendingRecordPath(state);
  const there = (path: string) => (): boolean => exists(path, path);
  const looks: readonly Look[] = [
    ['unfinished-change', state.journal, there(state.journal), recover],
    ['manifest-away', aside, there(aside), recover],
    [
      'restart',
      state.path,
      () => readPendingRestarts(state, bootId()).restarts.length > 0,
      command('restart'),
    ],
    ['hook', state.path, () => hasPendingHooks(state), command('renew all --within 1h --deploy-hook HOOK')],
    ['requests', requests, there(requests), command('renew --use-api --resume')],
  ];
  try {
    const waiting = looks.flatMap(([kind, file, isThere, next]) =>
      isThere() ? [{ kind, file, command: next }] : [],
    );
    const away = readAsideJournal(state);
    if (waiting.length > 0 && isLocked(state)) return { away, waiting: [{ kind: 'busy', file: state.path }] };
    const error = unusablePendingRestarts(state);
    const unusable: Waiting[] = error === undefined ? [] : [{ kind: 'unreadable', file: state.path, error }];
    return { away, waiting: [...waiting, ...unusable] };
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return { away: undefined, waiting: [{ kind: 'unreadable', file: state.path, error }] };
  }
}

type Look = readonly [
  kind: Exclude<Waiting['kind'], 'unreadable' | 'busy'>,
  file: string,
  isThere: () => boolean,
  command: string,
];
