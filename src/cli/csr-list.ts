import { isWaiting } from '../operations/kubelet-serving.ts';
import { askedOf } from '../operations/kubelet-serving/asked.ts';
import { signingRequestDocument, signingRequestTable } from '../render/signing-requests.ts';
import { openRoot, withRequests } from './csr-connection.ts';
import type { CsrOptions } from './csr-options.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { noteBootstrap } from './kubelet-bootstrap.ts';
import type { Terminal } from './terminal.ts';

export async function listRequests(options: CsrOptions, terminal: Terminal): Promise<ExitCode> {
  const root = openRoot(options);
  const progress = await terminal.progress('asking the cluster');
  try {
    const found = await withRequests(root, options, (api) => api.list());
    progress.end();
    const requests = found.map(({ request }) => ({ object: request, asked: askedOf(request) }));
    const { output } = options;
    terminal.result(
      output === 'text'
        ? signingRequestTable(requests, new Date())
        : signingRequestDocument(requests, output),
    );
    if (!requests.some(({ object }) => isWaiting(object))) noteBootstrap(root, terminal);
    return exitCodes.done;
  } finally {
    progress.end();
  }
}
