import type { FoundRequest } from '../../cluster/kubelet-requests.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Typed } from '../../flags/table.ts';
import {
  isWaiting,
  verdictOnApproval,
  type ApprovalWish,
} from '../../operations/kubelet-serving/kubelet-serving.ts';
import { parseAllowedCidr, parseAllowedDns } from '../../operations/kubelet-serving/allow-list.ts';
import { kubeletServingSigner } from '../../operations/kubelet-serving/signing-request.ts';
import type { Surroundings } from '../../operations/kubelet-serving/surroundings.ts';
import { openRoot } from './csr-connection.ts';
import { lookAround } from './csr-court.ts';
import { listCommand, type CsrOptions } from './csr-flags.ts';
import { requestNames, runDecisions } from './csr-run.ts';
import type { Judge, Read } from './csr-settle.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { noteBootstrap } from './kubelet-bootstrap.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export interface CsrApproveOptions
  extends CsrOptions, Typed<'all' | 'allowCidr' | 'allowDns' | 'denyInvalid' | 'dryRun'> {}

export async function approveRequests(
  given: readonly string[],
  options: CsrApproveOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const wish = parseWish(given, options);
  const names = requestNames(given, options);
  const root = openRoot(options);
  const named = wish.by === 'name';
  return runDecisions({ root, command: 'approve', named, options, terminal }, async ({ api, settle }) => {
    let surroundings: Surroundings | undefined;
    const judge: Judge = {
      judge: (request) => {
        if (surroundings === undefined) throw new TypeError('nobody has looked around');
        return verdictOnApproval(request, surroundings, wish);
      },
      lookAgain: async () => {
        surroundings = await lookAround(api);
      },
    };
    let count = 0;
    const settleAll = async (read: readonly (readonly [name: string, found: Read])[]): Promise<void> => {
      // After the requests: what belongs to whom is to be as new as they are.
      if (read.some(([, found]) => isReadable(found))) await judge.lookAgain();
      for (const [name, found] of read) await settle(name, found, judge);
    };
    let read: (readonly [name: string, found: Read])[] = [];
    for (const name of named ? names : await api.names()) {
      const found = await api.read(name);
      if (!named && !isOurs(found)) continue;
      read.push([name, found]);
      if (isReadable(found)) count += 1;
      if (read.length < mostAtOnce) continue;
      await settleAll(read);
      read = [];
    }
    await settleAll(read);
    if (count > 0 || named) return;
    terminal.note(`no request for ${kubeletServingSigner} is pending`);
    noteBootstrap(root, terminal);
  });
}

/** So many are held at a time, and the cluster is looked at anew for each lot. */
const mostAtOnce = 20;

/** With `--all`: one that waits for this decision; and one that cannot be read, of which nobody knows. */
function isOurs(found: Read): boolean {
  return found !== undefined && ('error' in found || isWaiting(found.request));
}

function isReadable(found: Read): found is FoundRequest {
  return found !== undefined && !('error' in found);
}

/** @throws KubepkiError usage */
function parseWish(names: readonly string[], options: CsrApproveOptions): ApprovalWish {
  const { all = false, allowCidr = [], allowDns = [], denyInvalid = false } = options;
  const allow = { cidrs: allowCidr.map(parseAllowedCidr), dns: allowDns.map(parseAllowedDns) };
  if (!all) {
    if (names.length > 0) return { by: 'name', allow, denyInvalid };
    throw new KubepkiError('usage', 'no request is named', {
      hint: `name them, as ${listCommand(options)} shows them, or use --all with --allow-cidr and --allow-dns`,
    });
  }
  if (names.length > 0) {
    throw new KubepkiError('usage', '--all stands alone, it cannot be combined with names');
  }
  const missing = [
    ...(allow.cidrs.length === 0 ? ['--allow-cidr'] : []),
    ...(allow.dns.length === 0 ? ['--allow-dns'] : []),
  ];
  if (missing.length === 0) return { by: 'all', allow, denyInvalid };
  throw new KubepkiError('usage', `--all wants ${missing.join(' and ')} too`, {
    hint: 'say what the addresses and names of nodes look like here, such as --allow-cidr 192.0.2.0/24 --allow-dns example.internal: a kubelet writes the addresses of its Node itself',
  });
}
