import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { until } from '../deadline.ts';
import { kubepkiInProcess } from '../in-process.ts';
import { startKubelet, type Kubelet } from '../kubelet/kubelet.ts';
import { startKubepki, type Outcome, type Running } from '../kubepki.ts';
import { credentialsOf, type Credentials } from './components/api-client.ts';
import type { Containers } from './containers.ts';
import type { NodeAgent } from './node-agent.ts';
import type { NodePlace } from './roots.ts';

export const components = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

export type ComponentName = (typeof components)[number];

const health: Readonly<Record<ComponentName, string>> = {
  etcd: ':2381/health',
  'kube-apiserver': ':6443/livez',
  'kube-controller-manager': ':10257/healthz',
  'kube-scheduler': ':10259/livez',
};

/** A machine of the cluster: its files, its static pods, its kubelet. */
export class ClusterNode implements NodePlace {
  readonly name: string;
  readonly address: string;
  readonly root: string;
  readonly isControlPlane: boolean;
  /** undefined: a worker has no static pods. */
  readonly #pods: Kubelet | undefined;
  #agent: NodeAgent | undefined;
  readonly #runs: Running[] = [];

  constructor(place: NodePlace, containers: Containers) {
    ({
      name: this.name,
      address: this.address,
      root: this.root,
      isControlPlane: this.isControlPlane,
    } = place);
    this.#pods = place.isControlPlane
      ? startKubelet({ manifestsDir: this.path('manifests'), checkMs: 300, ...containers.of(place) })
      : undefined;
  }

  /** @param below of /etc/kubernetes, such as `pki/ca.crt` */
  path(below: string): string {
    return join(this.root, 'etc/kubernetes', below);
  }

  read(below: string): Buffer {
    return readFileSync(this.path(below));
  }

  /** Puts a file in the place of another at once, as a program does that takes care. */
  replace(below: string, content: string | Buffer): void {
    const path = this.path(below);
    writeFileSync(`${path}.tmp`, content, { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  }

  /** What a kubeconfig of the node holds now. */
  credentials(kubeconfig = 'admin.conf'): Credentials {
    return credentialsOf(this.path(kubeconfig), this.root);
  }

  /** A pair of the cert dir with the CA that goes with it. */
  pair(base: string, ca: string): Omit<Credentials, 'server'> {
    return {
      ...{ ca: this.read(`pki/${ca}`), certificate: this.read(`pki/${base}.crt`) },
      key: this.read(`pki/${base}.key`),
    };
  }

  /** `kubepki …` on this node. */
  run(...args: readonly string[]): Promise<Outcome> {
    return kubepkiInProcess([...args, '--rootfs', this.root]);
  }

  /** Starts it as a process of its own, which can be killed; it is killed with the cluster at the latest. */
  begin(...args: readonly string[]): Running {
    const run = startKubepki([...args, '--rootfs', this.root]);
    this.#runs.push(run);
    return run;
  }

  /** Waits until the component answers that it is well. */
  async healthy(component: ComponentName): Promise<void> {
    const scheme = component === 'etcd' ? 'http' : 'https';
    const url = `${scheme}://${this.address}${health[component]}`;
    await until(() => isWell(url), {
      deadlineMs: 60_000,
      otherwise: () => `${component} of ${this.name} is not healthy:\n${this.log(component)}`,
    });
  }

  /** Restarts a static pod by hand: its manifest goes, and comes again when the process has ended. */
  async restart(component: ComponentName): Promise<void> {
    await this.takeAway(component);
    await this.putBack(component);
    await this.healthy(component);
  }

  /** Takes a manifest away; the process has ended then. */
  async takeAway(component: ComponentName): Promise<void> {
    renameSync(this.path(`manifests/${component}.yaml`), this.path(`${component}.away`));
    await until(() => (this.pid(component) === undefined ? true : undefined), {
      deadlineMs: 30_000,
      otherwise: () => `${component} of ${this.name} does not stop`,
    });
  }

  /** Puts it back; the process has begun then, and need not be well. */
  async putBack(component: ComponentName): Promise<void> {
    renameSync(this.path(`${component}.away`), this.path(`manifests/${component}.yaml`));
    await until(() => (this.pid(component) === undefined ? undefined : true), {
      deadlineMs: 30_000,
      otherwise: () => `${component} of ${this.name} does not start`,
    });
  }

  pid(component: ComponentName): number | undefined {
    return this.#pods?.pid(`${component}.yaml`);
  }

  /** What the component has written since its last start. */
  log(component: ComponentName): string {
    return this.#pods?.log(`${component}.yaml`) ?? '';
  }

  /** How often the component was started. */
  starts(component: ComponentName): number {
    return this.#pods?.starts.filter((file) => file === `${component}.yaml`).length ?? 0;
  }

  /** Gives it the part of its kubelet that speaks to the API server. */
  attend(agent: NodeAgent): void {
    this.#agent = agent;
  }

  /** `systemctl restart kubelet` */
  async restartKubelet(): Promise<void> {
    await this.#agent?.restart();
  }

  async stop(): Promise<void> {
    for (const run of this.#runs) run.kill('SIGKILL');
    await Promise.all(this.#runs.map(({ ended }) => ended));
    await this.#agent?.stop();
    await this.#pods?.stop();
  }
}

function isWell(url: string): Promise<true | undefined> {
  return new Promise((resolve) => {
    const options = { rejectUnauthorized: false, agent: false, timeout: 4000 };
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
