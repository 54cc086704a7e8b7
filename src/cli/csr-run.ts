import type { FoundRequest, KubeletRequestsApi } from '../cluster/kubelet-requests.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import type { Settled } from '../operations/kubelet-serving/verdict.ts';
import { concludeRequests } from './csr-conclude.ts';
import { withRequests } from './csr-connection.ts';
import { csrFlags, type CsrOptions } from './csr-options.ts';
import { settle, type Judge } from './csr-settle.ts';
import type { ExitCode } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

export interface DecisionRun {
  readonly root: FileSystemRoot;
  readonly command: 'approve' | 'deny';
  readonly named: boolean;
  readonly options: CsrOptions & { readonly dryRun?: boolean };
  readonly terminal: Terminal;
}

export interface Desk {
  readonly api: KubeletRequestsApi;
  /** @param found undefined: there is none */
  readonly settle: (name: string, found: FoundRequest | undefined, judge: Judge) => Promise<void>;
}

/** Decides about requests one after the other, and says what has become of each, also of those before an error. */
export async function runDecisions(
  { root, command, named, options, terminal }: DecisionRun,
  use: (desk: Desk) => Promise<void>,
): Promise<ExitCode> {
  const settled: Settled[] = [];
  const { output, dryRun = false } = options;
  const look = ['kubepki csr list', ...csrFlags(options)].join(' ');
  const conclude = (): ExitCode => concludeRequests({ command, dryRun, named, settled, output }, terminal);
  const progress = terminal.progress('asking the cluster');
  try {
    await withRequests(root, options, (api) =>
      use({
        api,
        settle: async (name, found, judge) => {
          progress.update(`deciding about ${name}`);
          settled.push(await settle(name, found, { ...judge, api, dryRun, look }));
        },
      }),
    );
  } catch (error) {
    progress.end();
    if (settled.length > 0) conclude();
    throw error;
  } finally {
    progress.end();
  }
  return conclude();
}
