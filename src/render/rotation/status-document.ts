import type { NodeStatus } from '../../operations/rotation/status.ts';
import { renderDocument, type DocumentFormat } from '../document.ts';

/** What other nodes judge the next stage by, and monitoring. Every field is always there, null where it says nothing. */
export function statusDocument(status: NodeStatus, format: DocumentFormat): string {
  const { node, role, at, rotation, authorities, running, servers, cluster } = status;
  return renderDocument(
    'CaStatus',
    {
      node,
      role,
      at: at.toISOString(),
      rotation: rotation ?? null,
      authorities,
      running,
      servers:
        servers.status === 'measured'
          ? { ...servers, value: servers.value.map((one) => ({ ...one, why: one.why ?? null })) }
          : servers,
      cluster,
    },
    format,
  );
}
