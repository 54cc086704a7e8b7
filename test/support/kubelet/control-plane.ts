import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../deadline.ts';
import { startKubepki, type Running } from '../kubepki.ts';
import { freePorts } from '../servers/free-ports.ts';

import { copyFixture, temporaryDirectory, type Tree } from '../tree.ts';
import { startKubelet, type Kubelet } from './kubelet.ts';
import { kubeadmManifests, type ManifestValues } from './manifests.ts';

const componentScript = fileURLToPath(new URL('component.mjs', import.meta.url));

export interface ControlPlane {
  readonly tree: Tree;
  readonly manifestsDir: string;
  readonly kubelet: Kubelet;
  readonly ports: ManifestValues['ports'];
  /** Waits until every pod answers. */
  healthy(): Promise<void>;
  /** Waits until a manifest is not in its place, or is again. */
  away(component: string): Promise<void>;
  back(component: string): Promise<void>;
  /** Of the other members of the etcd cluster. */
  readonly otherPorts: readonly ManifestValues['ports'][];
  /** Stops another member of the etcd cluster, counted from 0. */
  stopMember(index: number): Promise<void>;
  /** Starts kubepki on this node; it is killed after the test at the latest. */
  begin(...args: readonly string[]): Running;
}

export interface ControlPlaneOptions {
  readonly flags?: (ports: ManifestValues['ports'], tree: Tree) => ManifestValues['flags'];
  readonly without?: readonly string[];
  /** Changes the node's files before anything is started. */
  readonly prepare?: (tree: Tree, manifestsDir: string) => void;
  /** Of the kubelet; 300 ms by default. */
  readonly checkMs?: number;
  /** How many members etcd has on other nodes, which have nothing else. */
  readonly otherMembers?: number;
}

/**
 * A node with its static pods under the stand-in kubelet: the real etcd with the node's certificates, and TLS servers for
 * the others. Stopped after the test. Returns when all are healthy.
 */
export async function startControlPlane(
  t: TestContext,
  { etcd, openssl }: { readonly etcd: string; readonly openssl: string },
  { flags, without = [], prepare, checkMs = 300, otherMembers = 0 }: ControlPlaneOptions = {},
): Promise<ControlPlane> {
  const node: { readonly kubelets: Kubelet[]; readonly runs: Running[] } = { kubelets: [], runs: [] };
  // Before the tree's removal: a pod that still writes would put files back.
  t.after(async () => {
    for (const run of node.runs) run.kill('SIGKILL');
    await Promise.all(node.runs.map(({ ended }) => ended));
    await Promise.all(node.kubelets.map((kubelet) => kubelet.stop()));
  });
  const tree = copyFixture(t, 'stacked-etcd-ecdsa');
  const manifestsDir = join(tree.kubeconfigDir, 'manifests');
  const others = Array.from({ length: otherMembers }, (_, index) => ({
    member: `control-plane-${String(index + 2)}`,
    directory: join(tree.directory, `other-${String(index)}`),
  }));
  for (const directory of [manifestsDir, ...others.map((other) => other.directory)]) mkdirSync(directory);
  mkdirSync(join(tree.directory, 'var/lib/etcd'), { recursive: true, mode: 0o700 });
  const [ports, ...otherPorts] = await choosePorts(1 + otherMembers);
  const names = ['control-plane-1', ...others.map(({ member }) => member)];
  const members = names.map(
    (name, index) => `${name}=https://127.0.0.1:${String([ports, ...otherPorts][index]?.etcdPeer)}`,
  );
  const manifests = kubeadmManifests({ ports, flags: flags?.(ports, tree) ?? {}, members });
  for (const [name, text] of Object.entries(manifests)) {
    if (!without.includes(name)) writeFileSync(join(manifestsDir, `${name}.yaml`), text, { mode: 0o600 });
  }
  for (const [index, { member, directory }] of others.entries()) {
    const { etcd: text = '' } = kubeadmManifests({ ports: otherPorts[index] ?? ports, member, members });
    writeFileSync(join(directory, 'etcd.yaml'), text);
  }
  prepare?.(tree, manifestsDir);
  const kubeletOptions = {
    checkMs,
    // The container's view of the node: what kubeadm mounts into it.
    variable: (value: string): string =>
      value.replace(/^\/(?=etc\/kubernetes|var\/lib\/etcd)/, `${tree.directory}/`),
    container: (words: readonly string[]): readonly string[] => {
      const inside = words.map((word) =>
        word.replaceAll(/(?<==)\/(?=etc\/kubernetes|var\/lib\/etcd)/g, `${tree.directory}/`),
      );
      const [program = '', ...rest] = inside;
      return program === 'etcd' ? [etcd, ...rest] : [process.execPath, componentScript, program, ...rest];
    },
    env: {
      SELF_SIGNED: selfSigned(openssl, temporaryDirectory(t)),
      ...(process.arch === 'x64' ? {} : { ETCD_UNSUPPORTED_ARCH: process.arch }),
    },
  };
  const running = startKubelet({ manifestsDir, ...kubeletOptions });
  const otherKubelets = others.map(({ directory }) =>
    startKubelet({ manifestsDir: directory, ...kubeletOptions }),
  );
  node.kubelets.push(running, ...otherKubelets);
  const healthy = async (): Promise<void> => {
    const urls = [
      ['etcd', `http://127.0.0.1:${String(ports.etcdMetrics)}/health`],
      ['kube-apiserver', `https://127.0.0.1:${String(ports.apiserver)}/livez`],
      ['kube-controller-manager', `https://127.0.0.1:${String(ports.controllerManager)}/healthz`],
      ['kube-scheduler', `https://127.0.0.1:${String(ports.scheduler)}/livez`],
    ].filter(([name = '']) => !without.includes(name));
    for (const [name = '', url = ''] of urls) {
      await until(() => answers(url), {
        deadlineMs: 60_000,
        otherwise: () => `${name} is not healthy:\n${running.log(`${name}.yaml`)}`,
      });
    }
  };
  await healthy();
  const whether = async (component: string, there: boolean): Promise<void> => {
    const path = join(manifestsDir, `${component}.yaml`);
    await until(() => (existsSync(path) === there ? true : undefined), {
      deadlineMs: 60_000,
      otherwise: () => `${path} is ${there ? 'not' : 'still'} there`,
    });
  };
  return {
    tree,
    manifestsDir,
    kubelet: running,
    ports,
    otherPorts,
    healthy,
    away: (component) => whether(component, false),
    back: (component) => whether(component, true),
    stopMember: async (index) => {
      await otherKubelets[index]?.stop();
    },
    begin: (...args) => {
      const run = startKubepki([...args, '--rootfs', tree.directory]);
      node.runs.push(run);
      return run;
    },
  };
}

type Ports = ManifestValues['ports'];

async function choosePorts(nodes: number): Promise<[Ports, ...Ports[]]> {
  const chosen = await freePorts(6 * nodes);
  const portsOf = (index: number): Ports => {
    const [etcdClient = 0, etcdPeer = 0, etcdMetrics = 0, apiserver = 0, ...rest] = chosen.slice(6 * index);
    const [controllerManager = 0, scheduler = 0] = rest;
    return { etcdClient, etcdPeer, etcdMetrics, apiserver, controllerManager, scheduler };
  };
  return [portsOf(0), ...Array.from({ length: nodes - 1 }, (_, index) => portsOf(index + 1))];
}

/** @returns the path of the pair without its extension */
function selfSigned(openssl: string, directory: string): string {
  const base = join(directory, 'self-signed');
  execFileSync(
    openssl,
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=localhost',
    ].concat('-days', '30', '-keyout', `${base}.key`, '-out', `${base}.crt`),
    { stdio: 'ignore' },
  );
  return base;
}

function answers(url: string): Promise<true | undefined> {
  return new Promise((resolve) => {
    const options = { rejectUnauthorized: false, agent: false, timeout: 2000 };
    const request = (url.startsWith('https:') ? https : http).get(url, options, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? true : undefined);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => {
      resolve(undefined);
    });
  });
}
