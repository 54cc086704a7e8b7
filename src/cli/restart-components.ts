import { setTimeout as sleep } from 'node:timers/promises';
import type { Component } from '../catalog/catalog.ts';
import { formatGoDuration } from '../config/go-duration.ts';
import { quorumWithout, type QuorumAnswer } from '../controlplane/etcd-quorum.ts';
import type { Clock } from '../controlplane/clock.ts';
import { restartPod, type RestartResult } from '../controlplane/restart.ts';
import { KubepkiError } from '../errors/error.ts';
import type { ComponentRestart, PlannedRestart } from '../operations/plan-restart.ts';
import { restartLine } from '../render/restart.ts';
import { moveBack } from '../storage/aside.ts';
import type { StateDirectory } from '../storage/state-directory.ts';
import { etcdAccess } from './etcd-access.ts';
import { exitCodes } from './exit-code.ts';
import type { Node, NodeOptions } from './node-options.ts';
import { settlePending } from './pending.ts';
import { restartCommand } from './restart-command.ts';
import type { RestartOptions } from './restart-options.ts';
import type { RestartPlan } from './restart-plan.ts';
import { requireServed } from './served.ts';
import { invocation, noteReturn } from './session.ts';
import { noteRestarted, onInterrupt, type CleanedUp } from './signals.ts';
import type { Terminal } from './terminal.ts';

export interface RestartRun {
  readonly node: Node;
  readonly state: StateDirectory;
  readonly options: NodeOptions & RestartOptions & { readonly force?: boolean };
  readonly terminal: Terminal;
}

/** What became of a sequence; `failure`: what stopped it, with all of `left` not restarted. */
export interface RestartSummary {
  readonly restarted: readonly Component[];
  readonly left: readonly Component[];
  readonly failure: KubepkiError | undefined;
}

export const clock: Clock = {
  elapsed: () => performance.now(),
  sleep: async (milliseconds) => {
    await sleep(milliseconds);
  },
};

/** One component at a time; the first that does not come back ends the sequence. Call it under the lock. */
export async function restartComponents(
  { planned, settleMs }: RestartPlan,
  run: RestartRun,
): Promise<RestartSummary> {
  const { node, state, terminal } = run;
  const restarted: Component[] = [];
  for (const [index, one] of planned.entries()) {
    if (one.status === 'refused') throw new TypeError('a refused restart is never begun');
    const component = componentOf(one);
    try {
      if (one.status === 'no-manifest') {
        const directory = node.layout.manifestsDir;
        terminal.result(restartLine({ status: 'no-manifest', component, directory }));
      } else {
        const left = planned.slice(index).map(componentOf);
        const forget = onInterrupt(() => ({ said: `then: ${restartCommand(left, run.options) ?? ''}` }));
        try {
          await restartOne(one.restart, settleMs, run);
        } finally {
          forget();
        }
        restarted.push(component);
      }
      settlePending(state, component);
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      return { restarted, left: planned.slice(index).map(componentOf), failure: error };
    }
  }
  return { restarted, left: [], failure: undefined };
}

function componentOf(planned: PlannedRestart): Component {
  return planned.status === 'restartable' ? planned.restart.component : planned.component;
}

async function restartOne(restart: ComponentRestart, settleMs: number, run: RestartRun): Promise<void> {
  const { node, state, options, terminal } = run;
  const { component, pod } = restart;
  if (component === 'etcd') await requireQuorum(restart, run);
  const forget = onInterrupt(() => putBackNow(state, component));
  const goOn = refuseSuspension(component, terminal);
  let progress = terminal.progress(`waiting for ${component} to stop`);
  let result: RestartResult;
  try {
    result = await restartPod(
      state,
      restart,
      { settleMs, stopTimeoutMs: options.stopTimeout, startTimeoutMs: options.startTimeout },
      {
        clock,
        command: invocation(),
        phase: (phase) => {
          if (phase === 'starting') progress.update(`waiting for ${component} to be healthy again`);
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
  noteRestarted(component);
  terminal.result(restartLine({ status: 'restarted', component }));
  progress = terminal.progress(`asking ${component} for its certificate`);
  try {
    for (const { to, certificateFile } of await requireServed(restart, node, clock)) {
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

async function requireQuorum({ pod }: ComponentRestart, run: RestartRun): Promise<void> {
  const { options, terminal, node } = run;
  const progress = terminal.progress('asking the members of etcd how they are');
  const answer = await askQuorum(node, pod).finally(() => {
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
    hint: `see to the other members first, or stop it all the same: ${restartCommand(['etcd'], options) ?? ''} --force`,
  });
}

async function askQuorum({ layout }: Node, pod: ComponentRestart['pod']): Promise<QuorumAnswer> {
  try {
    return await quorumWithout(etcdAccess(layout, pod), clock);
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

/** At once: whoever presses Ctrl-C wants the component back. */
function putBackNow(state: StateDirectory, component: Component): CleanedUp | undefined {
  try {
    const returned = moveBack(state);
    if (returned.outcome === 'none') return undefined;
    return { said: `the manifest of ${component} is in its place (${returned.path})` };
  } catch (error) {
    const said = error instanceof KubepkiError ? [error.oneLine, error.hint].join('; ') : String(error);
    return { said: `the manifest of ${component}: ${said}`, code: exitCodes.unfinished };
  }
}

function notRestarted(
  { component, pod }: ComponentRestart,
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
  if (status === 'not-stopped') {
    const still = last === 'silent' ? 'its probe gets no answer, and no refusal' : 'its probe still answers';
    return new KubepkiError(
      'not-restarted',
      `${component} did not stop within ${formatGoDuration(stopTimeout)}: ${still}`,
      {
        file: pod.path,
        hint: 'the manifest is in its place; see whether the kubelet runs and watches that directory: systemctl status kubelet',
      },
    );
  }
  const how = last === 'unhealthy' ? 'its probe fails' : 'its probe gets no answer';
  return new KubepkiError(
    'not-restarted',
    `${component} was not healthy again within ${formatGoDuration(startTimeout)}: ${how}`,
    {
      file: pod.path,
      hint: `the manifest is in its place; see what keeps it: crictl ps -a --name ${component}, journalctl -u kubelet`,
    },
  );
}
