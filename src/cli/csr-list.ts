import { isWaiting } from '../operations/kubelet-serving.ts';
import { askedOf } from '../operations/kubelet-serving/asked.ts';
import {
  signingRequestDocument,
  signingRequestTable,
  type ListedRequest,
} from '../render/signing-requests.ts';
import { openRoot, withRequests } from './csr-connection.ts';
import type { CsrOptions } from './csr-options.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { noteBootstrap } from './kubelet-bootstrap.ts';
import type { Terminal } from './terminal.ts';

export async function listRequests(options: CsrOptions, terminal: Terminal): Promise<ExitCode> {
  const root = openRoot(options);
  const progress = terminal.progress('asking the cluster');
  try {
    const { found, unreadable } = await withRequests(root, options, (api) => api.list());
    progress.end();
    const requests = found.map(({ request }) => ({ object: request, asked: askedOf(request) }));
    const rows = [...requests, ...unreadable.map(({ name }) => ({ name }))].sort(byName);
    const { output } = options;
    terminal.result(
      output === 'text' ? signingRequestTable(rows, new Date()) : signingRequestDocument(rows, output),
    );
    for (const { error } of unreadable) terminal.warning(error.oneLine);
    if (!requests.some(({ object }) => isWaiting(object))) noteBootstrap(root, terminal);
    return exitCodes.done;
  } finally {
    progress.end();
  }
}

/** As the API server lists them. */
function byName(a: ListedRequest, b: ListedRequest): number {
  const [first, second] = [nameOf(a), nameOf(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

function nameOf(listed: ListedRequest): string {
  return 'object' in listed ? listed.object.name : listed.name;
}
