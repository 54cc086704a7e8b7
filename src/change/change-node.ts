import type { FileTarget, SigningFiles } from '../changeset/change-set.ts';
import type { ChangePlace } from '../changeset/past-change.ts';
import type { KubepkiError } from '../errors/error.ts';
import type { Typed } from '../flags/table.ts';
import { requireNoDanglingLink } from '../inventory/layout.ts';
import type { Node } from '../node/node-options.ts';
import { noteWaiting, stateOf } from '../node/waiting.ts';
import {
  componentsToRestart,
  hookFacts,
  type ChangeReport,
  type ChangeStage,
} from '../operations/change/change-report.ts';
import { runEnd, type Asked, type Followed } from '../operations/change/run-end.ts';
import { changeDocument } from '../render/change/change-document.ts';
import type { StateDirectory } from '../storage/state-directory.ts';
import { rehearse } from '../storage/transaction.ts';
import { exitCodes, type ExitCode } from '../terminal/exit-code.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { generateKeys, placeholderKeys } from './generate-keys.ts';
import { noteChange } from './notes.ts';
import { noteOwedHooks, runHooks } from './pending-hooks.ts';
import type { RestartAfterOptions } from './restart/restart-after.ts';
import { makeArrivingChange, makeChange, underLock, type Change, type Stage } from './session.ts';

export interface ChangeFlags extends RestartAfterOptions, Typed<'output' | 'deployHook' | 'dryRun'> {
  /** undefined: no old backup goes. */
  readonly keepBackups?: number | undefined;
}

/** What a run makes its change with: of a dry run, one key that stands for all. */
export interface Way {
  readonly dryRun: boolean;
  readonly state: StateDirectory;
  readonly generateKeys: typeof generateKeys;
}

/** What a command has decided from what it has read, and all that is its own about the change. */
export interface PlannedRun {
  readonly now: Date;
  /** Where there is one, nothing of the set is changed. */
  readonly errors: readonly KubepkiError[];
  /** What is said after the errors. */
  readonly onRefusal?: () => void;
  /** Asked of the person on a terminal, without the lock: another run must not wait for the answer. */
  readonly question?: () => Promise<void>;
  /** What is said before anything is made. */
  readonly beforehand?: () => void;
  /** The certificates that will be others: what uses them must be such that it can be restarted. */
  readonly names: readonly string[];
  /** Known before anything is made: then what is ready is staged while the rest is still being made. */
  readonly arriving?: { readonly targets: readonly FileTarget[]; readonly signedBy: readonly SigningFiles[] };
  readonly make: (stage: Stage) => Promise<Change>;
  readonly report: (stage: ChangeStage) => ChangeReport;
  /** The report as people read it. */
  readonly text: (report: ChangeReport) => string | Promise<string>;
  /** What decides the exit code beside the report; undefined: nothing. */
  readonly asked?: Asked | ((report: ChangeReport) => Asked);
  /** What is said after the result. */
  readonly remarks?: (report: ChangeReport) => void;
  /** Of a rollback: what it goes back behind. What was to follow that change need not any more. */
  readonly restores?: ChangePlace;
}

/** What a run of a command that changes something has come to. */
export type Conclusion =
  | { readonly kind: 'interrupted'; readonly code: ExitCode }
  | {
      readonly kind: 'finished';
      readonly asked?: Asked | undefined;
      readonly report: ChangeReport;
      /** Empty where stderr has said it all. */
      readonly text: string;
      readonly remarks?: () => void;
    };

/**
 * The one way in which a command changes a node: it decides under the lock, after an interrupted change was brought to an end;
 * refuses all or makes all; says what became of it; and then does what is to follow. A dry run decides the same and goes through
 * all that comes before the first byte is written, without the lock, which is a write as well.
 * @param plan decides, from what it reads now
 * @param asks whether there is a person who is asked the plan's question first
 * @param inUse whether what it changes is in use: then a restart and a hook may follow
 * @throws KubepkiError busy, unfinished; not-found for a directory that is to be made where a link leads nowhere
 */
export async function changeNode(
  node: Node,
  plan: (way: Way) => PlannedRun | Promise<PlannedRun>,
  options: ChangeFlags,
  terminal: Terminal,
  { inUse, asks = false }: { readonly inUse: boolean; readonly asks?: boolean },
): Promise<ExitCode> {
  const { root, certDir, kubeconfigDir } = node.layout;
  if (node.isPlanned) for (const one of [certDir, kubeconfigDir]) requireNoDanglingLink(root, one);
  const run = async (way: Way): Promise<Conclusion> =>
    carryOut(node, way, await plan(way), options, terminal);
  const after = inUse ? afterwards(node, options, terminal) : {};
  if (options.dryRun === true) {
    await noteWaiting(node, terminal);
    const way = { dryRun: true, state: stateOf(node), generateKeys: placeholderKeys };
    return conclude(await run(way), node, options, terminal, after);
  }
  if (asks) {
    const first = await plan({ dryRun: false, state: stateOf(node), generateKeys });
    const refused = refuse(first, { dryRun: false }, terminal);
    if (refused !== undefined) return conclude(refused, node, options, terminal, after);
    await first.question?.();
  }
  const conclusion = await underLock(node, options, terminal, (state) =>
    run({ dryRun: false, state, generateKeys }),
  );
  return conclude(conclusion, node, options, terminal, after);
}

/** Refuses, rehearses or makes what was decided. Call it under the lock, but for a dry run. */
export async function carryOut(
  node: Node,
  { dryRun, state }: Pick<Way, 'dryRun' | 'state'>,
  run: PlannedRun,
  options: ChangeFlags,
  terminal: Terminal,
): Promise<Conclusion> {
  const { now, arriving, make, restores } = run;
  const refused = refuse(run, { dryRun }, terminal);
  if (refused !== undefined) return refused;
  if (options.restart === true) {
    const { requireRestartable } = await import('./restart/restart-after.ts');
    requireRestartable(node, run.names, options);
  }
  run.beforehand?.();
  if (dryRun) {
    const change = await make(() => undefined);
    rehearse(state, change);
    return finished(run, run.report({ kind: 'planned', change }));
  }
  const made = (backup: string | undefined, change: Change): ChangeReport =>
    run.report({ kind: 'made', backup, change });
  const how = { ...options, now, terminal, report: made, ...(restores === undefined ? {} : { restores }) };
  const outcome = await (arriving === undefined
    ? makeChange(state, await make(() => undefined), how)
    : makeArrivingChange(state, { ...arriving, make }, how));
  if (outcome.kind === 'interrupted') return outcome;
  return finished(run, made(outcome.backup, outcome.change));
}

function refuse(
  { errors, onRefusal, report }: PlannedRun,
  { dryRun }: Pick<Way, 'dryRun'>,
  terminal: Terminal,
): Conclusion | undefined {
  if (errors.length === 0) return undefined;
  for (const error of errors) terminal.error(error);
  onRefusal?.();
  return {
    kind: 'finished',
    report: report({ kind: 'refused', dryRun }),
    text: '',
  };
}

async function finished({ asked, text, remarks }: PlannedRun, report: ChangeReport): Promise<Conclusion> {
  const said = {
    kind: 'finished',
    asked: typeof asked === 'function' ? asked(report) : asked,
    report,
    text: await text(report),
  } as const;
  return remarks === undefined
    ? said
    : {
        ...said,
        remarks: () => {
          remarks(report);
        },
      };
}

/** What follows a change of what is in use. Neither holds the lock. */
interface Afterwards {
  readonly restart?: () => Promise<Followed>;
  /** Where it is known which hooks are owed still. */
  readonly state?: StateDirectory;
}

export function afterwards(node: Node, options: ChangeFlags, terminal: Terminal): Required<Afterwards> {
  return {
    restart: async () => {
      if (options.restart !== true) return 'well';
      const { restartAfter } = await import('./restart/restart-after.ts');
      return restartAfter(node, options, terminal);
    },
    state: stateOf(node),
  };
}

/**
 * Says what a run has come to, and does what is to follow it: the restart, then the hooks. Called without the lock: a reader may
 * be slow, and a hook may want the lock itself.
 */
export async function conclude(
  conclusion: Conclusion,
  node: Pick<Node, 'flags'>,
  options: Typed<'output' | 'deployHook' | 'restart' | 'manifestsDir'>,
  terminal: Terminal,
  { restart, state }: Afterwards,
): Promise<ExitCode> {
  if (conclusion.kind === 'interrupted') return conclusion.code;
  const { asked, report, text, remarks } = conclusion;
  const codeOf = (followed?: Followed): ExitCode => exitCodes[runEnd(report, asked, followed)];
  const { output, deployHook } = options;
  terminal.result(output === 'text' ? text : changeDocument(report, componentsToRestart(report), output));
  remarks?.();
  noteChange(report, node, options, terminal);
  if (report.failed) return codeOf();
  if (report.dryRun) {
    if (state !== undefined) noteOwedHooks(state, { willRun: deployHook !== undefined }, terminal);
    return codeOf();
  }
  const restarted = (await restart?.()) ?? 'well';
  // The certificates have changed, whether everything has been restarted or not: the hook is for whatever else uses them.
  const well = await runHooks(deployHook, hookFacts(report), state, terminal);
  return codeOf(restarted === 'well' && !well ? 'failed' : restarted);
}
