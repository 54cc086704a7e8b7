import { certificates as catalog } from '../../../catalog/catalog.ts';
import type { KubepkiError } from '../../../errors/error.ts';
import { apiReport, nothingInstalled, type ApiPlanned } from '../../../operations/renewal/renewal-report.ts';
import { changeDocument } from '../../../render/change/change-document.ts';
import { dropPendingRequests, type PendingRequests } from '../../../storage/pending-requests.ts';
import type { Conclusion } from '../../../change/change-node.ts';
import { exitCodes, type ExitCode } from '../../../terminal/exit-code.ts';
import type { Node } from '../../../node/node-options.ts';
import { underLock } from '../../../change/session.ts';
import type { Terminal } from '../../../terminal/terminal.ts';
import { connected } from './use-api-connection.ts';
import type { ApiOptions } from './api-options.ts';
import { isInPlace, namesIn, requireStillWaiting, requireWaiting, withdraw } from './use-api-pending.ts';
import { readToFill } from '../../../node/snapshot.ts';
import { settle } from './use-api-settle.ts';
import { stateOf } from '../../../node/waiting.ts';

export async function resume(
  node: Node,
  names: readonly string[],
  options: ApiOptions,
  terminal: Terminal,
): Promise<Conclusion> {
  const pending = requireWaiting(stateOf(node), node, names);
  const plan = planOf(pending);
  const selection = { kind: 'named', specs: plan.map(({ spec }) => spec) } as const;
  const context = { node, plan, selection, options, terminal, resumed: true };
  return connected(node, options, async (api) => {
    if (!isInPlace(node, pending)) return settle(api, pending, context);
    await underLock(node, options, terminal, (state) => {
      requireStillWaiting(state, pending);
      dropPendingRequests(state);
      return Promise.resolve();
    });
    terminal.note('the certificates are in their places already, and the requests are deleted');
    await withdraw(
      api,
      pending.requests.map(({ name }) => name),
      terminal,
    );
    const report = apiReport([], readToFill(node).inventory, nothingInstalled);
    return { kind: 'finished', report, text: '' };
  });
}

/** Gives up what waits. A key may be lost for which a certificate has been issued: that is said. */
export async function discard(
  node: Node,
  names: readonly string[],
  options: ApiOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const pending = requireWaiting(stateOf(node), node, names);
  const requests = pending.requests.map(({ name }) => name);
  try {
    await connected(node, options, async (api) => {
      for (const { name, certificate } of pending.requests) {
        const { kind } = await api.standing(name);
        if (kind === 'issued') terminal.note(`the certificate for ${certificate} had been issued (${name})`);
      }
      await withdraw(api, requests, terminal);
    });
  } catch (error) {
    if (!isClusterError(error)) throw error;
    terminal.warning(`the requests may still be in the cluster, and be issued: ${error.message}`);
    terminal.hint(`delete them: kubectl delete csr ${requests.join(' ')}`);
  }
  await underLock(node, options, terminal, (state) => {
    requireStillWaiting(state, pending);
    dropPendingRequests(state);
    return Promise.resolve();
  });
  terminal.note(`given up, with their keys: ${namesIn(pending)}`);
  if (options.output !== 'text') {
    const reason = { outcome: 'unchanged', reason: 'its request and its key were given up' } as const;
    const report = apiReport(planOf(pending), readToFill(node).inventory, {
      kind: 'not-made',
      dryRun: false,
      failed: false,
      reasons: new Map(pending.requests.map(({ certificate }) => [certificate, reason])),
    });
    terminal.result(changeDocument(report, [], options.output));
  }
  return exitCodes.done;
}

function planOf({ requests }: PendingRequests): ApiPlanned[] {
  return requests.flatMap(({ certificate }): ApiPlanned[] => {
    const spec = catalog.find(({ name }) => name === certificate);
    return spec === undefined ? [] : [{ status: 'requestable', spec }];
  });
}

function isClusterError(error: unknown): error is KubepkiError {
  return error instanceof Error && 'code' in error && error.code === 'cluster';
}
