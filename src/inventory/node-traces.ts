import { join } from 'node:path';
import { certificates, kubeletKubeconfig } from '../catalog/catalog.ts';
import type { Certificate } from '../pki/certificate/certificate.ts';
import { readCertificateFile } from './certificate-files.ts';
import { readInitFiles } from './init-files.ts';
import { kubeletCertificate } from './kubelet/kubelet-entry.ts';
import { kubeletFlag, readKubeletFlags } from './kubelet/kubelet-flags.ts';
import { readStaticPods, type StaticPods } from './kubelet/static-pods.ts';
import { readKubeconfigSlot } from './kubeconfig-files.ts';
import type { Layout } from './layout.ts';
import { readFile, reading, type Reading } from './reading.ts';

/** The API server that a kubeconfig's current context leads to. */
export interface KubeconfigServer {
  readonly path: string;
  readonly server: string;
}

/**
 * The servers of every kubeconfig that kubeadm writes, the kubelet's too. One that names no server counts for missing. Never throws
 * for a bad file.
 */
export function readKubeconfigServers(layout: Layout): Reading<KubeconfigServer>[] {
  const names = [...certificates, kubeletKubeconfig].filter(({ kind }) => kind === 'kubeconfig');
  return names.map(({ name }) => readServer(layout, name));
}

function readServer(layout: Layout, name: string): Reading<KubeconfigServer> {
  const { target, content } = readKubeconfigSlot(layout, name);
  if (content.status !== 'present') return content;
  const { server } = content.value;
  return server === undefined
    ? { status: 'missing' }
    : { status: 'present', value: { path: target.path, server } };
}

/** Something that a file says. */
export interface Trace<T> {
  readonly value: T;
  /** The file, or the flag. */
  readonly from: string;
}

/** What a node's own files tell of its name and its address. What cannot be read tells nothing. */
export interface NodeTraces {
  /** The certificates of the kubelet as a client. */
  readonly kubeletCertificates: readonly Trace<Certificate>[];
  /** What kubeadm hands the kubelet where its name is not the machine's. */
  readonly hostnameOverride: readonly Trace<string>[];
  /** The certificates of etcd as a server and as a peer. */
  readonly etcdCertificates: readonly Trace<Certificate>[];
  readonly hostname: readonly Trace<string>[];
  readonly pods: StaticPods;
  readonly kubeconfigs: readonly Reading<KubeconfigServer>[];
}

/** Never throws for a bad file. */
export function readNodeTraces(layout: Layout): NodeTraces {
  const { root, certDir, kubeconfigDir } = layout;
  const leafAt = (path: string): Trace<Certificate>[] =>
    present(readCertificateFile(root, path).content).map(([value]) => ({ value, from: path }));
  const hostname = root.locate('/etc/hostname');
  return {
    kubeletCertificates: [
      ...inKubeletConf(layout, kubeconfigDir),
      ...leafAt(root.locate(kubeletCertificate)),
    ],
    hostnameOverride: present(
      reading(root.directory, () => kubeletFlag(readKubeletFlags(root), 'hostname-override')),
    ).map((value) => ({ value, from: "the kubelet's flag --hostname-override" })),
    etcdCertificates: ['server', 'peer'].flatMap((name) => leafAt(join(certDir, 'etcd', `${name}.crt`))),
    hostname: present(reading(hostname, () => readFile(root, hostname).bytes?.toString('utf8').trim())).map(
      (value) => ({ value, from: hostname }),
    ),
    pods: readStaticPods(layout),
    kubeconfigs: readKubeconfigServers(layout),
  };
}

function inKubeletConf(layout: Layout, kubeconfigDir: string): Trace<Certificate>[] {
  const files = readInitFiles(layout, kubeletKubeconfig);
  if (files.kind !== 'kubeconfig' || files.file.content.status !== 'present') return [];
  const path = join(kubeconfigDir, kubeletKubeconfig.name);
  return present(files.file.content.value.certificate).map(([value]) => ({ value, from: path }));
}

function present<T>(found: Reading<T>): T[] {
  return found.status === 'present' ? [found.value] : [];
}
