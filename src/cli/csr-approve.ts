import type { FoundRequest, KubeletRequestsApi } from '../cluster/kubelet-requests.ts';
import { KubepkiError } from '../errors/error.ts';
import { isWaiting } from '../operations/kubelet-serving.ts';
import { parseAllowedCidr, parseAllowedDns } from '../operations/kubelet-serving/allow-list.ts';
import { kubeletServingSigner } from '../operations/kubelet-serving/signing-request.ts';
import { verdictOnApproval, type ApprovalWish } from '../operations/kubelet-serving/verdict.ts';
import { openRoot } from './csr-connection.ts';
import { lookAround } from './csr-court.ts';
import { requestNames } from './csr-names.ts';
import type { CsrOptions } from './csr-options.ts';
import { runDecisions } from './csr-run.ts';
import type { Judge } from './csr-settle.ts';
import type { ExitCode } from './exit-code.ts';
import { noteBootstrap } from './kubelet-bootstrap.ts';
import type { Terminal } from './terminal.ts';

export interface CsrApproveOptions extends CsrOptions {
  readonly all?: boolean;
  readonly allowCidr?: readonly string[];
  readonly allowDns?: readonly string[];
  readonly denyInvalid?: boolean;
  readonly dryRun?: boolean;
}

export async function approveRequests(
  given: readonly string[],
  options: CsrApproveOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const wish = parseWish(given, options);
  const names = requestNames(given);
  const root = openRoot(options);
  const named = wish.by === 'name';
  return runDecisions({ root, command: 'approve', named, options, terminal }, async ({ api, settle }) => {
    const found = named ? await readAll(api, names) : await waiting(api, terminal);
    if (found.length === 0) {
      terminal.note(`no request for ${kubeletServingSigner} is pending`);
      noteBootstrap(root, terminal);
      return;
    }
    // After the requests: what belongs to whom is to be as new as they are.
    let surroundings = await lookAround(api);
    const judge: Judge = {
      judge: (request) => verdictOnApproval(request, surroundings, wish),
      lookAgain: async () => {
        surroundings = await lookAround(api);
      },
    };
    for (const [name, request] of found) await settle(name, request, judge);
  });
}

type Named = readonly [name: string, found: FoundRequest | undefined];

async function waiting(api: KubeletRequestsApi, terminal: Terminal): Promise<readonly Named[]> {
  const { found, unreadable } = await api.list();
  for (const { error } of unreadable) terminal.warning(error.oneLine);
  return found.filter(({ request }) => isWaiting(request)).map((one) => [one.request.name, one]);
}

async function readAll(api: KubeletRequestsApi, names: readonly string[]): Promise<readonly Named[]> {
  const found: Named[] = [];
  for (const name of names) found.push([name, await api.read(name)]);
  return found;
}

/** @throws KubepkiError usage */
function parseWish(names: readonly string[], options: CsrApproveOptions): ApprovalWish {
  const { all = false, allowCidr = [], allowDns = [], denyInvalid = false } = options;
  const allow = { cidrs: allowCidr.map(parseAllowedCidr), dns: allowDns.map(parseAllowedDns) };
  if (!all) {
    if (names.length > 0) return { by: 'name', allow, denyInvalid };
    throw new KubepkiError('usage', 'no request is named', {
      hint: 'name them, as kubepki csr list shows them, or use --all with --allow-cidr and --allow-dns',
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
