import type { Component } from '../catalog/catalog.ts';

export type RestartEvent =
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
  switch (event.status) {
    case 'restarted':
      return `${event.component} restarted\n`;
    case 'would-restart':
      return `${event.component} would be restarted\n`;
    case 'no-manifest':
      return `${event.component} passed over: it has no manifest in ${event.directory}\n`;
    case 'serves':
      return `${event.component} serves ${event.to === 'peers' ? 'its peers ' : ''}the new certificate (${event.certificateFile})\n`;
  }
}
