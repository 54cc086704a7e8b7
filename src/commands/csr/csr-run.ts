import type { KubeletRequestsApi } from '../../cluster/kubelet-requests.ts';
import type { FileSystemRoot } from '../../filesystem/root.ts';
import { askedOfAll, type askedOf } from '../../operations/kubelet-serving/signing-request.ts';
import type { Settled, SettledRow } from '../../operations/kubelet-serving/kubelet-serving.ts';
import { concludeRequests } from './csr-conclude.ts';
import { withRequests } from './csr-connection.ts';
import { csrFlags, type CsrOptions } from '../../flags/csr-options.ts';
import { settle, type Judge, type Read } from './csr-settle.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';

interface DecisionRun {
  readonly root: FileSystemRoot;
  readonly command: 'approve' | 'deny';
  readonly named: boolean;
  readonly options: CsrOptions & { readonly dryRun?: boolean };
  readonly terminal: Terminal;
}

interface Desk {
  readonly api: KubeletRequestsApi;
  readonly settle: (name: string, found: Read, judge: Judge) => Promise<void>;
}

/** Decides about requests one after the other, and says what has become of each, also of those before an error. */
export async function runDecisions(
  { root, command, named, options, terminal }: DecisionRun,
  use: (desk: Desk) => Promise<void>,
): Promise<ExitCode> {
  const rows: SettledRow[] = [];
  const askedOf = askedOfAll();
  const { output, dryRun = false } = options;
  const look = ['kubepki csr list', ...csrFlags(options)].join(' ');
  const conclude = (): ExitCode => concludeRequests({ command, dryRun, named, rows, output }, terminal);
  const progress = terminal.progress('asking the cluster');
  try {
    await withRequests(root, options, (api) =>
      use({
        api,
        settle: async (name, found, judge) => {
          progress.update(`deciding about ${name}`);
          rows.push(rowOf(await settle(name, found, { ...judge, api, dryRun, look }), askedOf));
        },
      }),
    );
  } catch (error) {
    progress.end();
    if (rows.length > 0) conclude();
    throw error;
  } finally {
    progress.end();
  }
  return conclude();
}

/** The request itself is let go: there may be many. */
function rowOf(settled: Settled, asked: typeof askedOf): SettledRow {
  if (!('request' in settled)) return { settled, asked: undefined };
  const { request, ...rest } = settled;
  const { signerName, username } = request;
  return { settled: { ...rest, request: { signerName, username } }, asked: asked(request) };
}
