import type { KubeletRequestsApi } from '../../cluster/kubelet-requests.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { FileSystemRoot } from '../../filesystem/root.ts';
import { askedOfAll, type askedOf } from '../../operations/kubelet-serving/signing-request.ts';
import type { Settled, SettledRow } from '../../operations/kubelet-serving/kubelet-serving.ts';
import { concludeRequests } from './csr-conclude.ts';
import { withRequests } from './csr-connection.ts';
import { listCommand, type CsrOptions } from './csr-flags.ts';
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

/**
 * Each once, in the order in which they were given.
 * @throws KubepkiError usage for what no object can be called
 */
export function requestNames(given: readonly string[], options: CsrOptions): readonly string[] {
  // k8s.io/apimachinery, IsValidPathSegmentName; anything else would be another path at the API server.
  const wrong = given.find((name) => name === '' || name === '.' || name === '..' || /[/%]/.test(name));
  if (wrong === undefined) return [...new Set(given)];
  throw new KubepkiError('usage', `${JSON.stringify(wrong)} is no name of a request`, {
    hint: `${listCommand(options)} shows them`,
  });
}

/** Decides about requests one after the other, and says what has become of each, also of those before an error. */
export async function runDecisions(
  { root, command, named, options, terminal }: DecisionRun,
  use: (desk: Desk) => Promise<void>,
): Promise<ExitCode> {
  const rows: SettledRow[] = [];
  const askedOf = askedOfAll();
  const { output, dryRun = false } = options;
  const { interruptions } = terminal;
  const look = listCommand(options);
  const conclude = (): ExitCode => concludeRequests({ command, dryRun, named, rows, output, look }, terminal);
  const progress = terminal.progress('asking the cluster');
  try {
    await withRequests(root, options, (api) =>
      use({
        api,
        settle: async (name, found, judge) => {
          progress.update(`deciding about ${name}`);
          rows.push(
            rowOf(await settle(name, found, { ...judge, api, dryRun, look, interruptions }), askedOf),
          );
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
