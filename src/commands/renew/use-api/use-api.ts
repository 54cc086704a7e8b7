import type { KubeadmConfig } from '../../../config/kubeadm-config.ts';
import { apiReport, nothingInstalled } from '../../../operations/renewal/renewal-report.ts';
import { requireApiAccess } from '../../../node/cluster-access.ts';
import { afterwards, conclude, type Conclusion } from '../../../change/change-node.ts';
import { commandLine } from '../../../errors/command-line.ts';
import { confirmRenewal } from '../../../terminal/confirm.ts';
import type { ExitCode } from '../../../terminal/exit-code.ts';
import { openNode, type Node, readConfiguration } from '../../../node/node-options.ts';
import { parseAskedSans, parseSelection, type Selection } from '../selection.ts';
import type { Terminal } from '../../../terminal/terminal.ts';
import { connected } from './use-api-connection.ts';
import { askFlags, type ApiOptions } from './api-options.ts';
import { requireNothingWaits } from './use-api-pending.ts';
import { warnOfUnsound } from '../within.ts';
import { planApiRun, requirePlaceable } from './use-api-plan.ts';
import { prepare } from './use-api-prepare.ts';
import { idle, refuse, dryRun } from './use-api-result.ts';
import { resume, discard } from './use-api-resume.ts';
import { settle } from './use-api-settle.ts';
import { warnOfDueAgain, warnOfShortValidity } from '../../../change/validity-warnings.ts';
import { noteWaiting, stateOf } from '../../../node/waiting.ts';
import { noteSameSans, wishedSans } from '../wished-sans.ts';

/** `renew --use-api`: new keys, and certificates that a signer of the cluster issues for them. */
export async function renewThroughApi(
  names: readonly string[],
  options: ApiOptions,
  cluster: KubeadmConfig | undefined,
  terminal: Terminal,
): Promise<ExitCode> {
  const selection = parseSelection(names);
  const node = openNode(options, await readConfiguration(options, terminal, cluster));
  if (options.discardPending === true) return discard(node, names, options, terminal);
  const conclusion =
    options.resume === true
      ? await resume(node, names, options, terminal)
      : await start(node, selection, options, terminal);
  return conclude(conclusion, node, options, terminal, afterwards(node, options, terminal));
}

async function start(
  node: Node,
  selection: Selection,
  options: ApiOptions,
  terminal: Terminal,
): Promise<Conclusion> {
  const sans = await wishedSans(parseAskedSans(selection, options), node, options, terminal);
  const wishes = { selection, sans };
  warnOfShortValidity(options, terminal);
  warnOfDueAgain(options, node.config?.certificateValidityMs, terminal);
  requireNothingWaits(stateOf(node), node, options);
  if (options.dryRun === true) await noteWaiting(node, terminal);
  // Before anything is asked of anybody.
  const run = planApiRun(node, wishes, options, new Date());
  const refused = refuse(run, node, options, terminal);
  if (refused !== undefined) return refused;
  warnOfUnsound(run.plan, terminal);
  for (const text of run.wanted.flatMap(({ requestable }) => requestable.warnings)) terminal.warning(text);
  noteSameSans(run.plan, terminal);
  requirePlaceable(node, run, options);
  if (run.wanted.length > 0) requireApiAccess(node.layout.root, options.kubeconfig);
  const context = { node, plan: run.plan, selection, options, terminal };
  if (options.dryRun === true) return dryRun(run, context);
  if (run.wanted.length === 0) {
    return idle(context, apiReport(run.plan, run.inventory, nothingInstalled));
  }
  if (selection.kind === 'all' && selection.confirm && terminal.interactive) {
    const rows = run.wanted.map(({ requestable, leaf }) => ({
      name: requestable.spec.name,
      notAfter: leaf.notAfter,
    }));
    await confirmRenewal(rows, new Date(), commandLine([...askFlags(options), ...node.flags])('renew all'));
  }
  return connected(node, options, async (api) => {
    const asked = await prepare(node, wishes, options, terminal);
    if ('conclusion' in asked) return asked.conclusion;
    const { pending, plan } = asked;
    return settle(api, pending, { ...context, plan, resumed: false });
  });
}
