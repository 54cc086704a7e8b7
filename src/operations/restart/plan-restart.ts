import { isIP } from 'node:net';
import type { Component } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Reading } from '../../inventory/reading.ts';
import type { Probe, StaticPod, StaticPods } from '../../inventory/kubelet/static-pods.ts';
import { lastFlagValue } from '../node/component-flags.ts';
import { servedBy, type ServedCertificate } from './served-certificates.ts';

/** The address at which a component is asked whether it is well. */
export type ProbeEndpoint = {
  readonly host: string;
  readonly port: number;
  /** Milliseconds for one attempt. */
  readonly timeoutMs: number;
} & (
  | { readonly kind: 'tcp' }
  | {
      readonly kind: 'http';
      readonly scheme: 'http' | 'https';
      readonly path: string;
      readonly headers: readonly (readonly [name: string, value: string])[];
    }
);

/** A static pod that can be stopped and started. */
export interface ComponentRestart {
  readonly component: Component;
  readonly pod: StaticPod;
  readonly probe: ProbeEndpoint;
  readonly serves: readonly ServedCertificate[];
}

export type PlannedRestart =
  | { readonly status: 'restartable'; readonly restart: ComponentRestart }
  | { readonly status: 'no-manifest'; readonly component: Component }
  | { readonly status: 'refused'; readonly component: Component; readonly error: KubepkiError };

/** Decides for each component, in the order given. */
export function planRestarts(components: readonly Component[], pods: StaticPods): PlannedRestart[] {
  return components.map((component) => planRestart(component, pods[component]));
}

function planRestart(component: Component, reading: Reading<StaticPod>): PlannedRestart {
  if (reading.status === 'missing') return { status: 'no-manifest', component };
  if (reading.status === 'unreadable') return { status: 'refused', component, error: reading.error };
  const pod = reading.value;
  const probe = endpointOf(pod);
  if (probe === undefined) return { status: 'refused', component, error: noProbe(pod) };
  return {
    status: 'restartable',
    restart: { component, pod, probe, serves: servedBy(component, pod, probe.host) },
  };
}

// The kubelet asks the liveness probe as long as the pod runs. A startup probe asks the same, with more patience.
const preferred = ['livenessProbe', 'startupProbe', 'readinessProbe'] as const;

function endpointOf(pod: StaticPod): ProbeEndpoint | undefined {
  for (const name of preferred) {
    for (const probe of pod.probes.filter((one) => one.name === name)) {
      const endpoint = tryable(probe, pod);
      if (endpoint !== undefined) return endpoint;
    }
  }
  return undefined;
}

function tryable({ action, timeoutMs }: Probe, pod: StaticPod): ProbeEndpoint | undefined {
  if (action.kind === 'other' || action.port === undefined) return undefined;
  const host = action.host ?? ownAddress(pod);
  if (host === undefined) return undefined;
  const { port } = action;
  if (action.kind === 'tcp') return { kind: 'tcp', host, port, timeoutMs };
  const { scheme, path, headers } = action;
  if (!isSendable(path, headers)) return undefined;
  return { kind: 'http', host, port, timeoutMs, scheme, path, headers };
}

/** Whether an HTTP request can hold it (RFC 9110, 5.5 and 5.6.2; RFC 9112, 3.2): it must not fail while the manifest is away. */
function isSendable(path: string, headers: readonly (readonly [name: string, value: string])[]): boolean {
  return (
    /^[\x21-\x7e]*$/.test(path) &&
    headers.every(
      ([name, value]) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e]*$/.test(value),
    )
  );
}

/** The host that the kubelet asks by default: the pod's own address, which is the node's for these pods. */
function ownAddress({ hostNetwork, words }: StaticPod): string | undefined {
  if (!hostNetwork) return undefined;
  const bound = ['bind-address', 'advertise-address']
    .map((flag) => lastFlagValue(words, flag))
    .find((address) => address !== undefined && isIP(address) !== 0 && !/^[0:.]+$/.test(address));
  return bound ?? '127.0.0.1';
}

function noProbe({ path, probes }: StaticPod): KubepkiError {
  const unnamed = probes.some(({ action }) => action.kind !== 'other' && action.port === undefined);
  return new KubepkiError(
    'bad-manifest',
    unnamed
      ? 'has a probe whose port is neither a number nor the name of a port of its container'
      : 'has no HTTP or TCP probe, which would say when the pod has stopped and is well again',
    { file: path, hint: 'give it a livenessProbe, or restart it by hand' },
  );
}
