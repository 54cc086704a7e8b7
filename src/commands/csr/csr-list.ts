import type { KubeletRequestsApi, UnreadableRequest } from '../../cluster/kubelet-requests.ts';
import { isWaiting } from '../../operations/kubelet-serving/kubelet-serving.ts';
import { askedOfAll } from '../../operations/kubelet-serving/signing-request.ts';
import {
  signingRequestDocument,
  signingRequestTable,
  type ListedRequest,
} from '../../render/requests/signing-requests.ts';
import { openRoot, withRequests } from './csr-connection.ts';
import type { CsrOptions } from './csr-flags.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { noteBootstrap } from './kubelet-bootstrap.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export async function listRequests(options: CsrOptions, terminal: Terminal): Promise<ExitCode> {
  const root = openRoot(options);
  const progress = terminal.progress('asking the cluster');
  try {
    const { rows, unreadable } = await withRequests(root, options, readRows);
    progress.end();
    const { output } = options;
    terminal.result(
      output === 'text' ? await listText(rows, new Date(), terminal) : signingRequestDocument(rows, output),
    );
    for (const { error } of unreadable) terminal.warning(error.oneLine);
    if (!rows.some((row) => 'object' in row && isWaiting(row.object))) noteBootstrap(root, terminal);
    return exitCodes.done;
  } finally {
    progress.end();
  }
}

async function listText(rows: readonly ListedRequest[], now: Date, terminal: Terminal): Promise<string> {
  const look = terminal.tableLook();
  if (look === undefined) return signingRequestTable(rows, now);
  const { signingRequestTables } = await import('../../terminal/tables/signing-requests.ts');
  return signingRequestTables(rows, now, look);
}

interface Rows {
  readonly rows: readonly ListedRequest[];
  readonly unreadable: readonly UnreadableRequest[];
}

/** One at a time, and each let go: of what it asks for only what is shown stays. */
async function readRows(api: KubeletRequestsApi): Promise<Rows> {
  const rows: ListedRequest[] = [];
  const unreadable: UnreadableRequest[] = [];
  const askedOf = askedOfAll();
  for (const name of await api.names()) {
    const found = await api.read(name);
    // Gone since its name was read.
    if (found === undefined) continue;
    if ('error' in found) {
      unreadable.push(found);
      rows.push({ name });
    } else {
      const { request, ...object } = found.request;
      rows.push({ object, asked: askedOf({ request }) });
    }
  }
  return { rows: rows.sort(byName), unreadable };
}

/** As the API server lists them. */
function byName(a: ListedRequest, b: ListedRequest): number {
  const [first, second] = [nameOf(a), nameOf(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

function nameOf(listed: ListedRequest): string {
  return 'object' in listed ? listed.object.name : listed.name;
}
