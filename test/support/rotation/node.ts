import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { until } from '../deadline.ts';
import { kubepkiInProcess } from '../in-process.ts';
import type { Outcome, Running } from '../kubepki.ts';
import { credentialsOf, type Credentials } from './components/api-client.ts';
import type { Surroundings } from './components/init.ts';
import type { Containers } from './containers.ts';
import { Machine } from './machine.ts';
import type { NodePlace } from './roots.ts';

export const components = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

export type ComponentName = (typeof components)[number];

const health: Readonly<Record<ComponentName, string>> = {
  etcd: ':2381/health',
  'kube-apiserver': ':6443/livez',
  'kube-controller-manager': ':10257/healthz',
  'kube-scheduler': ':10259/livez',
};

/** A node of the cluster: its files, and the machine that runs with them. */
export class ClusterNode implements NodePlace {
  readonly name: string;
  readonly address: string;
  readonly root: string;
  readonly isControlPlane: boolean;
  readonly #containers: Containers;
  #machine: Machine;

  constructor(place: NodePlace, containers: Containers) {
    ({
      name: this.name,
      address: this.address,
      root: this.root,
      isControlPlane: this.isControlPlane,
    } = place);
    this.#containers = containers;
    this.#machine = new Machine(place, containers);
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

  /** `kubepki …` on this node, as an operator there has it: a process that sees the node's files and processes alone. */
  run(...args: readonly string[]): Promise<Outcome> {
    return this.begin(args).ended;
  }

  /** The same, which can be killed. */
  begin(args: readonly string[], surroundings?: Partial<Surroundings>): Running {
    return this.#machine.begin(args, surroundings);
  }

  /** `kubepki … --rootfs` in the process of the tests, which takes less time, and sees no processes. */
  runOnRoot(...args: readonly string[]): Promise<Outcome> {
    return kubepkiInProcess([...args, '--rootfs', this.root]);
  }

  /** Waits until the component answers that it is well. */
  async healthy(component: ComponentName): Promise<void> {
    const scheme = component === 'etcd' ? 'http' : 'https';
    const url = `${scheme}://${this.address}${health[component]}`;
    try {
      await until(() => isWell(url), { deadlineMs: 60_000, otherwise: () => 'it is not healthy' });
    } catch (cause) {
      const said = this.#machine.said + (await this.log(component));
      throw new Error(`${component} of ${this.name} is not healthy:\n${said}`, { cause });
    }
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
    await until(async () => ((await this.pid(component)) === undefined ? true : undefined), {
      // A real API server without etcd takes its time.
      deadlineMs: 90_000,
      otherwise: () => `${component} of ${this.name} does not stop`,
    });
  }

  /** Puts it back; the process has begun then, and need not be well. */
  async putBack(component: ComponentName): Promise<void> {
    renameSync(this.path(`${component}.away`), this.path(`manifests/${component}.yaml`));
    await until(async () => ((await this.pid(component)) === undefined ? undefined : true), {
      deadlineMs: 30_000,
      otherwise: () => `${component} of ${this.name} does not start`,
    });
  }

  pid(component: ComponentName): Promise<number | undefined> {
    return this.#machine.pid(`${component}.yaml`);
  }

  /** What the component has written since its last start. */
  log(component: ComponentName): Promise<string> {
    return this.#machine.log(`${component}.yaml`);
  }

  /** How often the component was started since the machine was. */
  async starts(component: ComponentName): Promise<number> {
    return (await this.#machine.starts()).filter((file) => file === `${component}.yaml`).length;
  }

  /** `systemctl restart kubelet`: pods go on, and files that are read at its start are read again. */
  async restartKubelet(): Promise<void> {
    await this.#machine.restartKubelet();
  }

  /** Cuts its power: nothing of it ends in order. */
  async powerOff(): Promise<void> {
    await this.#machine.cut();
  }

  powerOn(): void {
    this.#machine = new Machine(this, this.#containers);
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
