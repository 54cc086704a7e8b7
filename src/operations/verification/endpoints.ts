import type { Component } from '../../catalog/catalog.ts';
import type { StaticPod } from '../../inventory/kubelet/static-pods.ts';
import { nameOf } from '../names/name-uses.ts';
import { lastFlagValue } from '../node/component-flags.ts';
import { servedBy } from '../restart/served-certificates.ts';
import { readKubeconfigs } from './kubeconfigs.ts';
import type { Endpoint, Observed } from './observed.ts';

/** Ports of Kubernetes' own, where the manifest says nothing. */
const ownPorts = { 'kube-controller-manager': 10257, 'kube-scheduler': 10259 } as const;
const kubeletPort = 10250;

/** Where the components of this node serve, as their manifests say. */
export function endpointsOf(observed: Observed): Endpoint[] {
  const { subject, pods, manifestFiles, kubelet } = observed;
  const pod = (component: Component): StaticPod[] =>
    pods[component].status === 'present' ? [pods[component].value] : [];
  const diskOf = (component: Component, kind: string, value: string): Endpoint['disk'] => {
    const file = manifestFiles.find(
      (one) => one.component === component && one.file.kind === kind && one.value === value,
    );
    return file?.path !== undefined &&
      file.content.status === 'present' &&
      file.content.value.kind === 'certificates'
      ? { path: file.path, chain: file.content.value.chain }
      : undefined;
  };
  const servers = (['kube-apiserver', 'etcd'] as const).flatMap((component) =>
    pod(component).flatMap((one) =>
      servedBy(component, one, addressOf(one)).map((served): Endpoint => {
        const { identity } = served;
        const pathOf = (value: string): string =>
          manifestFiles.find((file) => file.component === component && file.value === value)?.path ?? value;
        return {
          name: served.to === 'peers' ? `${component} (peers)` : component,
          host: served.host,
          port: served.port,
          serverName: undefined,
          disk: diskOf(component, 'certificate', served.certificateFile),
          caName: component === 'etcd' ? 'etcd-ca' : 'ca',
          identity: identity && {
            certificateFile: pathOf(identity.certificateFile),
            keyFile: pathOf(identity.keyFile),
          },
          restart: subject.command(`restart ${component}`),
        };
      }),
    ),
  );
  const others = (['kube-controller-manager', 'kube-scheduler'] as const).flatMap((component) =>
    pod(component)
      .filter(servesTls)
      .map((one): Endpoint => ({
        name: component,
        host: boundTo(one) ?? '127.0.0.1',
        port: portOf(one) ?? ownPorts[component],
        serverName: undefined,
        disk: undefined,
        caName: undefined,
        identity: undefined,
        restart: subject.command(`restart ${component}`),
      })),
  );
  return [...servers, ...others, ...kubeletEndpoint(kubelet)];
}

/** Without a kubelet that has run there is none to ask. */
export function kubeletEndpoint({
  config,
  serving: { target, content },
}: Pick<Observed['kubelet'], 'config' | 'serving'>): Endpoint[] {
  if (config.status === 'missing') return [];
  const value = config.status === 'present' ? config.value : undefined;
  return [
    {
      name: 'kubelet',
      host: oneAddress(value?.address) ?? '127.0.0.1',
      port: portIn(value?.port) ?? kubeletPort,
      serverName: undefined,
      disk: content.status === 'present' ? { path: target.path, chain: content.value } : undefined,
      caName: value?.serverTLSBootstrap.isOn === true ? 'ca' : undefined,
      identity: undefined,
      restart: 'systemctl restart kubelet',
    },
  ];
}

/** One that was named on the command line. Where a kubeconfig of this node leads to it, its users must trust it; else nothing is known. */
export function givenEndpoint(
  { host, port, serverName }: Pick<Endpoint, 'host' | 'port' | 'serverName'>,
  { kubeconfigs }: Pick<Observed, 'kubeconfigs'>,
): Endpoint {
  const isApiServer = readKubeconfigs(kubeconfigs).some(
    ({ kubeconfig: { server } }) => server !== undefined && isAt(server, { host, port }),
  );
  return {
    name: `${host.includes(':') ? `[${host}]` : host}:${String(port)}`,
    host,
    port,
    serverName: serverName ?? host,
    disk: undefined,
    caName: isApiServer ? 'ca' : undefined,
    identity: undefined,
    restart: undefined,
  };
}

function isAt(url: string, { host, port }: Pick<Endpoint, 'host' | 'port'>): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname, port: digits } = new URL(url);
  const at = hostname.replace(/^\[|\]$/g, '');
  return nameOf(at) === nameOf(host.toLowerCase()) && Number(digits || '443') === port;
}

function addressOf(pod: StaticPod): string {
  return boundTo(pod) ?? lastFlagValue(pod.words, 'advertise-address') ?? '127.0.0.1';
}

function boundTo({ words }: StaticPod): string | undefined {
  return oneAddress(lastFlagValue(words, 'bind-address'));
}

/** @returns undefined: all of them, or it is not said */
function oneAddress(address: string | undefined): string | undefined {
  return address === '0.0.0.0' || address === '::' || address === '' ? undefined : address;
}

/** `--secure-port=0`: it serves none. */
function servesTls({ words }: StaticPod): boolean {
  return lastFlagValue(words, 'secure-port') !== '0';
}

function portOf({ words }: StaticPod): number | undefined {
  return portIn(lastFlagValue(words, 'secure-port'));
}

function portIn(text: string | undefined): number | undefined {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}
