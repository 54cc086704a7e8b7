import type { Component } from '../../catalog/catalog.ts';
import type { ProbeEndpoint } from '../../operations/restart/plan-restart.ts';
import { printableLines } from '../printable.ts';

type RestartEvent =
  | { readonly status: 'restarted' | 'would-restart'; readonly component: Component }
  | { readonly status: 'no-manifest'; readonly component: Component; readonly directory: string }
  | {
      readonly status: 'serves';
      readonly component: Component;
      readonly to: 'clients' | 'peers';
      readonly certificateFile: string;
    };

/** One line for each step of a restart. */
export function restartLine(event: RestartEvent): string {
  return printableLines([sentence(event)]);
}

function sentence(event: RestartEvent): string {
  switch (event.status) {
    case 'restarted':
      return `${event.component} restarted`;
    case 'would-restart':
      return `${event.component} would be restarted`;
    case 'no-manifest':
      return `${event.component} passed over: it has no manifest in ${event.directory}`;
    case 'serves':
      return `${event.component} serves ${event.to === 'peers' ? 'its peers ' : ''}the new certificate (${event.certificateFile})`;
  }
}

/** The place that a probe asks: `https://192.0.2.10:6443/livez`, or `192.0.2.10:2379` where it asks for a connection only. */
export function probePlace(probe: ProbeEndpoint): string {
  const host = probe.host.includes(':') ? `[${probe.host}]` : probe.host;
  const place = `${host}:${String(probe.port)}`;
  return probe.kind === 'tcp' ? place : `${probe.scheme}://${place}${probe.path}`;
}
