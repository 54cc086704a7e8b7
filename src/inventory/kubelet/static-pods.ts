import { join } from 'node:path';
import type { Component } from '../../catalog/catalog.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import { readYaml } from '../../yaml/plain-yaml.ts';
import type { Layout } from '../layout.ts';
import { readFile, reading, type Reading } from '../reading.ts';

/** A pod as far as it says where its component listens, whom it calls and how its health is told. */
export interface Pod {
  /** `command` and `args` of the container named like the component, word by word; of all containers where none is. */
  readonly words: readonly string[];
  /** The values that `env` of the containers says outright. */
  readonly environment: ReadonlyMap<string, string>;
  /** The probes of the container named like the component come first. */
  readonly probes: readonly Probe[];
  readonly hostNetwork: boolean;
  /** Which of the node's paths its container sees, and under which names. */
  readonly mounts: readonly Mount[];
  /** The user that the container runs as; undefined: what its image says, which is root for kubeadm's. */
  readonly runAs: { readonly uid: number | undefined; readonly gids: readonly number[] };
}

/** A path of the node (inside its root) that the container sees. */
export interface Mount {
  readonly hostPath: string;
  readonly mountPath: string;
}

type ProbeName = 'startupProbe' | 'livenessProbe' | 'readinessProbe';

export interface Probe {
  readonly name: ProbeName;
  readonly action: ProbeAction;
  /** Milliseconds for one attempt. */
  readonly timeoutMs: number;
}

/** `other`: exec and gRPC. A port that is undefined has a name that none of the container's ports has. */
export type ProbeAction =
  | {
      readonly kind: 'http';
      readonly scheme: 'http' | 'https';
      readonly host: string | undefined;
      readonly port: number | undefined;
      readonly path: string;
      readonly headers: readonly (readonly [name: string, value: string])[];
    }
  | { readonly kind: 'tcp'; readonly host: string | undefined; readonly port: number | undefined }
  | { readonly kind: 'other' };

const probeNames: readonly ProbeName[] = ['livenessProbe', 'readinessProbe', 'startupProbe'];

/** @throws KubepkiError bad-manifest, without a file */
export function parseStaticPod(text: string, component: string): Pod {
  // Every scalar stays text: `--secure-port=6443` and an address alone are words alike.
  // Of several documents the kubelet reads the first.
  const spec = field(readYaml(text, 'bad-manifest'), 'spec');
  const containers = field(spec, 'containers');
  if (!isList(containers)) {
    throw new KubepkiError('bad-manifest', 'is not the manifest of a pod: it has no list spec.containers');
  }
  const isComponent = (container: unknown): boolean => field(container, 'name') === component;
  const own = containers.filter(isComponent);
  // A sidecar's flags must not count.
  const speaking = own.length === 0 ? containers : own;
  const ordered = [...own, ...containers.filter((container) => !isComponent(container))];
  return {
    words: speaking.flatMap((container) => [
      ...texts(field(container, 'command')),
      ...texts(field(container, 'args')),
    ]),
    environment: new Map(speaking.flatMap(variablesOf)),
    probes: ordered.flatMap(probesOf),
    hostNetwork: field(spec, 'hostNetwork') === 'true',
    mounts: speaking.flatMap((container) => mountsOf(container, spec)),
    runAs: runAsOf(speaking[0], spec),
  };
}

function mountsOf(container: unknown, spec: unknown): Mount[] {
  return list(field(container, 'volumeMounts')).flatMap((mount) => {
    const volume = list(field(spec, 'volumes')).find((one) => field(one, 'name') === field(mount, 'name'));
    const hostPath = text(field(field(volume, 'hostPath'), 'path'));
    const mountPath = text(field(mount, 'mountPath'));
    if (hostPath === undefined || mountPath === undefined) return [];
    const below = text(field(mount, 'subPath'));
    return [{ hostPath: below === undefined ? hostPath : `${hostPath}/${below}`, mountPath }];
  });
}

/** The container's own word counts before the pod's (Kubernetes, SecurityContext). */
function runAsOf(container: unknown, spec: unknown): Pod['runAs'] {
  const [own, pods] = [field(container, 'securityContext'), field(spec, 'securityContext')];
  const id = (name: string): number | undefined => {
    const given = text(field(own, name)) ?? text(field(pods, name));
    return given === undefined || !/^\d+$/.test(given) ? undefined : Number(given);
  };
  const gids = [id('runAsGroup'), id('fsGroup')].filter((gid) => gid !== undefined);
  const more = list(field(pods, 'supplementalGroups')).flatMap((gid) => text(gid) ?? []);
  return { uid: id('runAsUser'), gids: [...gids, ...more.map(Number)] };
}

/** The variables with a value; others are filled in elsewhere (`valueFrom`). Of several by one name the last one counts. */
function variablesOf(container: unknown): (readonly [name: string, value: string])[] {
  return list(field(container, 'env')).flatMap((variable) => {
    const [name, value] = [text(field(variable, 'name')), text(field(variable, 'value'))];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
}

function probesOf(container: unknown): Probe[] {
  return probeNames.flatMap((name) => {
    const probe = field(container, name);
    if (probe === undefined) return [];
    // Kubernetes' default is one second.
    const seconds = Number(text(field(probe, 'timeoutSeconds')) ?? '1');
    return [
      {
        name,
        action: actionOf(probe, container),
        timeoutMs: seconds >= 1 ? Math.min(seconds, 60) * 1000 : 1000,
      },
    ];
  });
}

function actionOf(probe: unknown, container: unknown): ProbeAction {
  const http = field(probe, 'httpGet');
  if (http !== undefined) {
    return {
      kind: 'http',
      scheme: text(field(http, 'scheme'))?.toUpperCase() === 'HTTPS' ? 'https' : 'http',
      host: text(field(http, 'host')),
      port: portOf(field(http, 'port'), container),
      path: text(field(http, 'path')) ?? '/',
      headers: list(field(http, 'httpHeaders')).flatMap((header) => {
        const [name, value] = [text(field(header, 'name')), text(field(header, 'value'))];
        return name === undefined ? [] : [[name, value ?? ''] as const];
      }),
    };
  }
  const tcp = field(probe, 'tcpSocket');
  if (tcp === undefined) return { kind: 'other' };
  return { kind: 'tcp', host: text(field(tcp, 'host')), port: portOf(field(tcp, 'port'), container) };
}

/** A number, or the name of one of the container's ports (kubeadm 1.34 writes `probe-port`). */
function portOf(value: unknown, container: unknown): number | undefined {
  const given = text(value);
  if (given === undefined) return undefined;
  if (/^\d+$/.test(given)) return validPort(given);
  const named = list(field(container, 'ports')).find((port) => field(port, 'name') === given);
  return validPort(text(field(named, 'containerPort')));
}

function validPort(digits: string | undefined): number | undefined {
  const port = Number(digits);
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function list(value: unknown): readonly unknown[] {
  return isList(value) ? value : [];
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function texts(value: unknown): string[] {
  return list(value).filter((word): word is string => typeof word === 'string');
}

/** The manifest of a static pod. */
export interface StaticPod extends Pod {
  readonly path: string;
  readonly target: FileTarget;
}

export type StaticPods = Readonly<Record<Component, Reading<StaticPod>>>;

/** A manifest that a restart has taken out of the kubelet's sight, and where it waits. Host paths. */
interface AwayManifest {
  readonly path: string;
  readonly asidePath: string;
}

/**
 * Never throws for a bad file.
 * @param away read where it waits; undefined: what is not in its place is missing
 */
export function readStaticPods(layout: Layout, away?: AwayManifest): StaticPods {
  const read = (component: Component): Reading<StaticPod> => {
    const found = readStaticPod(layout, component, manifestPath(layout, component));
    if (found.status !== 'missing' || away?.path !== manifestPath(layout, component)) return found;
    return readStaticPod(layout, component, away.asidePath);
  };
  return {
    etcd: read('etcd'),
    'kube-apiserver': read('kube-apiserver'),
    'kube-controller-manager': read('kube-controller-manager'),
    'kube-scheduler': read('kube-scheduler'),
  };
}

/** kubeadm names the manifest after the component. */
export function manifestPath({ manifestsDir }: Layout, component: Component): string {
  return join(manifestsDir, `${component}.yaml`);
}

function readStaticPod(layout: Layout, component: Component, path: string): Reading<StaticPod> {
  return reading(path, () => {
    const { bytes, target } = readFile(layout.root, path);
    return bytes && { path, target, ...parseStaticPod(bytes.toString('utf8'), component) };
  });
}
