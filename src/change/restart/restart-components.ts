import { setTimeout as sleep } from 'node:timers/promises';
import type { Component } from '../../catalog/catalog.ts';
import { formatGoDuration } from '../../config/duration.ts';
import { quorumWithout, type Patience, type QuorumAnswer } from '../../controlplane/etcd-quorum.ts';
import type { ProbeResult } from '../../controlplane/probe.ts';
import { restartPod, type RestartPhase, type RestartResult } from '../../controlplane/restart.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { ComponentRestart, PlannedRestart } from '../../operations/restart/plan-restart.ts';
import { probePlace, restartLine } from '../../render/change/restart.ts';
import { moveBack } from '../../storage/aside.ts';
import type { StateDirectory } from '../../storage/state-directory.ts';
import { etcdAccess } from './etcd-access.ts';
import { exitCodes, exitCodeOf, type ExitCode } from '../../terminal/exit-code.ts';
import type { Node } from '../../node/node-options.ts';
import type { RestartFlags } from '../../flags/table.ts';
import { takeRestartTurn, type LeaseFlags } from './one-at-a-time.ts';
import { settlePending, restartCommand } from './pending.ts';
import type { RestartOptions } from './restart-terms.ts';
import type { RestartPlan } from './restart-plan.ts';
import { requireServed, servedPatienceMs } from './served.ts';
import { noOthers, type Turn, type TurnClock } from './turn.ts';
import { invocation, noteReturn } from '../session.ts';
import type { CleanedUp } from '../../terminal/interruptions.ts';
import type { Terminal } from '../../terminal/terminal.ts';

interface RestartRun {
  readonly node: Node;
  readonly state: StateDirectory;
  readonly options: RestartOptions & LeaseFlags & { readonly force?: boolean };
  readonly terminal: Terminal;
}

/** What became of a sequence; `failure`: what stopped it, with all of `left` not restarted. */
interface RestartSummary {
  readonly restarted: readonly Component[];
  readonly left: readonly Component[];
  readonly failure: KubepkiError | undefined;
}

const clock: TurnClock = {
  elapsed: () => performance.now(),
  sleep: async (milliseconds) => {
    await sleep(milliseconds);
  },
  every: (milliseconds, act) => {
    const timer = setInterval(act, milliseconds);
    return () => {
      clearInterval(timer);
    };
  },
};

/**
 * One component at a time, while no other node of the cluster restarts; the first that does not come back ends the sequence. Call it
 * under the lock.
 */
export async function restartComponents(plan: RestartPlan, run: RestartRun): Promise<RestartSummary> {
  const { planned } = plan;
  const { node, options, terminal } = run;
  const stopping = planned.some(({ status }) => status === 'restartable');
  let turn = noOthers;
  if (stopping) {
    const forget = onInterrupt(planned, run);
    try {
      turn = await takeRestartTurn(node, options, clock, terminal);
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      return { restarted: [], left: planned.map(componentOf), failure: error };
    } finally {
      forget();
    }
  }
  try {
    return await restartInTurn(plan, run, turn);
  } finally {
    await turn.end();
  }
}

async function restartInTurn(
  { planned, settleMs }: RestartPlan,
  run: RestartRun,
  turn: Turn,
): Promise<RestartSummary> {
  const { node, state, terminal } = run;
  const restarted: Component[] = [];
  for (const [index, one] of planned.entries()) {
    if (one.status === 'refused') throw new TypeError('a refused restart is never begun');
    const component = componentOf(one);
    const left = planned.slice(index);
    try {
      if (one.status === 'no-manifest') {
        const directory = node.layout.manifestsDir;
        terminal.result(restartLine({ status: 'no-manifest', component, directory }));
      } else {
        const { restart } = one;
        const forget = onInterrupt(left, run);
        try {
          await turn.during(longestOf(restart, run.options), () => restartOne(restart, settleMs, run));
        } finally {
          forget();
        }
        restarted.push(component);
      }
      settlePending(state, component);
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      return { restarted, left: left.map(componentOf), failure: error };
    }
  }
  return { restarted, left: [], failure: undefined };
}

/** @returns forgets it */
function onInterrupt(left: readonly PlannedRestart[], { node, options, terminal }: RestartRun): () => void {
  return terminal.interruptions.onInterrupt(() => ({
    said: `then: ${restartCommand(left.map(componentOf), node, options) ?? ''}`,
  }));
}

/** What a restart takes beside its waits: requests, files. */
const besidesMs = 30_000;

/** As long as the restart of a component can take, in milliseconds. */
function longestOf(
  { component, serves }: ComponentRestart,
  { stopTimeout, startTimeout }: RestartOptions,
): number {
  const quorumMs = component === 'etcd' ? patienceMs : 0;
  return quorumMs + stopTimeout + startTimeout + serves.length * servedPatienceMs + besidesMs;
}

function componentOf(planned: PlannedRestart): Component {
  return planned.status === 'restartable' ? planned.restart.component : planned.component;
}

async function restartOne(restart: ComponentRestart, settleMs: number, run: RestartRun): Promise<void> {
  const { node, state, options, terminal } = run;
  const { component, pod } = restart;
  if (component === 'etcd') await requireQuorum(restart, run);
  let phase: RestartPhase = 'stopping';
  const forget = terminal.interruptions.onInterrupt(() => interrupted(state, component, phase));
  const goOn = refuseSuspension(component, terminal);
  let progress = terminal.progress(waitingFor(component, phase));
  let result: RestartResult;
  try {
    result = await restartPod(
      state,
      restart,
      { settleMs, stopTimeoutMs: options.stopTimeout, startTimeoutMs: options.startTimeout },
      {
        clock,
        command: invocation(),
        phase: (current, last) => {
          phase = current;
          const seen = last === undefined ? '' : `: ${last.answer} at ${probePlace(restart.probe)}`;
          progress.update(waitingFor(component, phase) + seen);
        },
      },
    );
  } finally {
    goOn();
    forget();
    progress.end();
  }
  noteReturn(result.returned, terminal);
  if (result.status !== 'restarted') throw notRestarted(restart, result, options);
  terminal.interruptions.noteRestarted(component);
  terminal.result(restartLine({ status: 'restarted', component }));
  const asking = `asking ${component} for its certificate`;
  progress = terminal.progress(asking);
  const waiting = (why: string): void => {
    progress.update(`${asking}: ${why}`);
  };
  try {
    for (const { to, certificateFile } of await requireServed(restart, node, { clock, waiting })) {
      terminal.result(restartLine({ status: 'serves', component, to, certificateFile }));
    }
  } catch (cause) {
    if (!(cause instanceof KubepkiError)) throw cause;
    // Whatever kept us from seeing it: by now the component has been restarted.
    const { message, file = pod.path, hint } = cause;
    throw new KubepkiError('not-restarted', message, { file, hint, cause });
  } finally {
    progress.end();
  }
}

function waitingFor(component: Component, phase: RestartPhase): string {
  return `waiting for ${component} to ${phase === 'stopping' ? 'stop' : 'be healthy again'}`;
}

/** How long what may pass is tried again before it is called a failure. */
const patienceMs = 30_000;

async function requireQuorum({ pod }: ComponentRestart, run: RestartRun): Promise<void> {
  const { options, terminal, node } = run;
  const asking = 'asking the members of etcd how they are';
  const progress = terminal.progress(asking);
  const answer = await askQuorum(node, pod, {
    clock,
    // With --force it is stopped whatever the answer is.
    patienceMs: options.force === true ? 0 : patienceMs,
    waiting: (reason) => {
      progress.update(`${asking}: ${reason}`);
    },
  }).finally(() => {
    progress.end();
  });
  if (answer.answer === 'safe') return;
  const message =
    answer.answer === 'lost'
      ? `stopping this member would leave the etcd cluster without quorum: ${answer.reason}`
      : `whether the etcd cluster goes on without this member cannot be told: ${answer.reason}`;
  if (options.force === true) {
    terminal.warning(message);
    return;
  }
  throw new KubepkiError('no-quorum', message, {
    file: pod.path,
    hint: `see to the other members first, or stop it all the same: ${restartCommand(['etcd'], node, options) ?? ''} --force`,
  });
}

async function askQuorum(
  { layout }: Node,
  pod: ComponentRestart['pod'],
  patience: Patience,
): Promise<QuorumAnswer> {
  try {
    return await quorumWithout(etcdAccess(layout, pod), patience);
  } catch (error) {
    if (error instanceof KubepkiError) return { answer: 'unknown', reason: error.oneLine };
    throw error;
  }
}

/** Suspended by Ctrl-Z, it would leave the component down for as long. @returns allows it again */
function refuseSuspension(component: Component, terminal: Terminal): () => void {
  const refuse = (): void => {
    terminal.note(`${component} is being restarted and would stay down: Ctrl-C puts its manifest back`);
  };
  process.on('SIGTSTP', refuse);
  return () => {
    process.off('SIGTSTP', refuse);
  };
}

/** The manifest goes back at once: Ctrl-C is pressed by a person who wants the component back. */
function interrupted(state: StateDirectory, component: Component, phase: RestartPhase): CleanedUp {
  if (phase === 'starting') {
    return { said: `${component} was stopped, and has not been seen healthy again yet`, changed: true };
  }
  try {
    const returned = moveBack(state);
    const where =
      returned.outcome === 'none' ? '' : `; the manifest of ${component} is in its place (${returned.path})`;
    return { said: `${component} was being stopped${where}`, changed: true };
  } catch (error) {
    const said = error instanceof KubepkiError ? [error.oneLine, error.hint].join('; ') : String(error);
    return { said: `the manifest of ${component}: ${said}`, code: exitCodes.unfinished, changed: true };
  }
}

function notRestarted(
  { component, pod, probe }: ComponentRestart,
  result: Exclude<RestartResult, { readonly status: 'restarted' }>,
  { stopTimeout, startTimeout }: RestartOptions,
): KubepkiError {
  if (result.status === 'replaced') {
    return new KubepkiError(
      'not-restarted',
      `somebody has put a manifest in its place before ${component} had stopped`,
      { file: pod.path, hint: 'see what writes there, a configuration management perhaps' },
    );
  }
  const { status, last } = result;
  const seen = `${last.answer} at ${probePlace(probe)}`;
  if (status === 'not-stopped') {
    const still =
      last.state === 'silent' ? 'its probe gets no answer, and no refusal' : 'its probe still answers';
    return new KubepkiError(
      'not-restarted',
      `${component} did not stop within ${formatGoDuration(stopTimeout)}: ${still}: ${seen}`,
      {
        file: pod.path,
        hint: 'the manifest is in its place; see whether the kubelet runs and watches that directory: systemctl status kubelet',
      },
    );
  }
  const how = last.state === 'unhealthy' ? 'its probe fails' : 'its probe gets no answer';
  return new KubepkiError(
    'not-restarted',
    `${component} was not healthy again within ${formatGoDuration(startTimeout)}: ${how}: ${seen}`,
    { file: pod.path, hint: `the manifest is in its place; ${nextStep(component, last)}` },
  );
}

function nextStep(component: Component, { status }: ProbeResult): string {
  switch (status) {
    case 401:
    case 403:
      return `${component} runs, but refuses its probe: look at --anonymous-auth and at the probe in the manifest`;
    case 404:
      return 'what answers there does not know that path: look at the probe in the manifest';
    default:
      return `see what keeps it: crictl ps -a --name ${component}, journalctl -u kubelet`;
  }
}

/** Says what stopped a sequence. */
export function sayFailure(
  { restarted, left, failure }: RestartSummary,
  node: Node,
  options: RestartFlags,
  terminal: Terminal,
): ExitCode {
  if (failure === undefined) return exitCodes.done;
  terminal.error(failure);
  terminal.hint(`then: ${restartCommand(left, node, options) ?? ''}`);
  // Refused before anything was stopped: nothing has changed.
  const touched = restarted.length > 0 || failure.code === 'not-restarted';
  const code = exitCodeOf(failure.code);
  return touched && (code === exitCodes.error || code === exitCodes.busy)
    ? exitCodes.changedButNotFinished
    : code;
}
