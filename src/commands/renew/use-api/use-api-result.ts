import { formatGoDuration } from '../../../config/duration.ts';
import { commandLine } from '../../../errors/command-line.ts';
import type { Asked } from '../../../operations/change/run-end.ts';
import { describeAlgorithm } from '../../../pki/key/private-key.ts';
import { isoSeconds } from '../../../pki/der/time.ts';
import { renewalLines, type RenewalOutcome } from '../../../render/change/renewal.ts';
import { apiReport, type ApiPlanned } from '../../../operations/renewal/renewal-report.ts';
import { apiRequestLines } from '../../../render/requests/requests.ts';
import { sanDifference } from '../../../render/change/dry-run.ts';
import type { Conclusion } from '../../../change/change-node.ts';
import { readToFill } from '../../../node/snapshot.ts';
import type { Node } from '../../../node/node-options.ts';
import type { Selection } from '../selection.ts';
import { noteAuthorities } from '../../../change/notes.ts';
import { renewRestHint } from '../../../operations/change/refusals.ts';
import { shownAsLeft } from '../within.ts';
import type { Terminal } from '../../../terminal/terminal.ts';
import { askFlags, type ApiOptions } from './api-options.ts';
import type { ApiRun } from './use-api-plan.ts';
import { noteSans } from '../wished-sans.ts';
import type { Trouble } from './conversation.ts';

export interface Context {
  readonly node: Node;
  readonly plan: readonly ApiPlanned[];
  readonly selection: Selection;
  readonly options: ApiOptions;
  readonly terminal: Terminal;
}

/** @param renewed what is in place by then */
export function finishedWith(
  context: Context,
  renewed: readonly ApiPlanned['spec'][],
): { readonly asked: Asked; readonly text: () => string } {
  const { plan, selection, options } = context;
  const closing = selection.kind === 'all' && renewed.length > 0 && options.restart !== true;
  return { asked: askedFor(context), text: () => linesOf(plan, { ...context, closing, due: false }) };
}

/** Nothing had to be asked for. */
export function idle(context: Context, report: ReturnType<typeof apiReport>): Conclusion {
  const { asked, text } = finishedWith(context, []);
  return { kind: 'finished', asked, report, text: text() };
}

export function unsettled(
  troubles: readonly Trouble[],
  outcome: 'refused' | 'pending',
  { node, plan, terminal }: Context,
): Conclusion {
  for (const { error } of troubles) terminal.error(error);
  const reasons = new Map(
    troubles.flatMap(({ error, certificates }) =>
      certificates.map((name) => [name, { outcome, reason: error.oneLine }] as const),
    ),
  );
  const report = apiReport(plan, readToFill(node).inventory, {
    kind: 'not-made',
    dryRun: false,
    failed: true,
    reasons,
  });
  return { kind: 'finished', report, text: '' };
}

export function refuse(
  run: ApiRun,
  node: Node,
  options: ApiOptions,
  terminal: Terminal,
): Conclusion | undefined {
  const { plan, errors, wanted, inventory } = run;
  if (errors.length === 0) return undefined;
  for (const error of errors) terminal.error(error);
  const ready = wanted.map(({ requestable }) => requestable.spec.name);
  terminal.hint(renewRestHint(ready, commandLine([...askFlags(options), ...node.flags])));
  const reasons = new Map(
    plan.flatMap((one) =>
      one.status === 'refused'
        ? [[one.spec.name, { outcome: 'refused', reason: one.error.oneLine } as const] as const]
        : [],
    ),
  );
  const report = apiReport(plan, inventory, {
    kind: 'not-made',
    dryRun: options.dryRun === true,
    failed: true,
    reasons,
  });
  return { kind: 'finished', report, text: '' };
}

export function dryRun(run: ApiRun, context: Context): Conclusion {
  const { plan, wanted, signerName, expirationSeconds, inventory } = run;
  noteSans(
    wanted.map(({ requestable }) => requestable),
    { difference: false },
    context.terminal,
  );
  noteAuthorities(wanted, context.terminal);
  const shown = wanted.map(({ requestable, usages, targets }) => ({
    name: requestable.spec.name,
    keyType: describeAlgorithm(requestable.keyAlgorithm),
    usages,
    validity: formatGoDuration(expirationSeconds * 1000),
    sans: requestable.sans && sanDifference(requestable.sans.edit),
    files: targets.map(({ path }) => path),
  }));
  const report = apiReport(plan, inventory, {
    kind: 'dry-run',
    notAfter: isoSeconds(new Date(Date.now() + expirationSeconds * 1000)),
    filesOf: (spec) => {
      const targets = wanted.find(({ requestable }) => requestable.spec === spec)?.targets ?? [];
      return targets.map(({ path }) => path);
    },
  });
  const others = plan.filter(({ status }) => status !== 'requestable');
  return {
    kind: 'finished',
    asked: askedFor(context),
    report,
    text:
      linesOf(others, { ...context, closing: false, due: wanted.length > 0 }) +
      apiRequestLines(shown, signerName),
  };
}

function linesOf(
  plan: readonly ApiPlanned[],
  { options: { within }, closing, due }: Context & { readonly closing: boolean; readonly due: boolean },
): string {
  return renewalLines(plan.map(outcomeOf), { closing, within: within?.text, due });
}

function outcomeOf(planned: ApiPlanned): RenewalOutcome {
  return planned.status === 'requestable'
    ? { status: 'renewed', longName: planned.spec.longName }
    : shownAsLeft(planned);
}

function askedFor({ selection }: Context): Asked {
  return { named: selection.kind === 'named' };
}
