import { KubepkiError } from '../errors/error.ts';
import type { StateDirectory } from '../storage/state-directory.ts';
import { isReplaced, moveAside, moveBack, type Return } from '../storage/aside.ts';
import type { ComponentRestart } from '../operations/restart/plan-restart.ts';
import type { Clock } from './clock.ts';
import { probe, type ProbeResult } from './probe.ts';

/** All in milliseconds. */
interface RestartTimes {
  /** The manifest stays away at least this long: the kubelet looks every so often, and must have seen that it is gone. */
  readonly settleMs: number;
  readonly stopTimeoutMs: number;
  readonly startTimeoutMs: number;
}

/**
 * `replaced`: another program put a manifest in place before the pod had stopped. `last`: the probe's result when the time was over.
 * In every case a manifest is in place.
 */
export type RestartResult =
  | { readonly status: 'restarted'; readonly returned: Return }
  | { readonly status: 'replaced'; readonly returned: Return }
  | { readonly status: 'not-stopped' | 'not-started'; readonly returned: Return; readonly last: ProbeResult };

export type RestartPhase = 'stopping' | 'starting';

interface RestartWatch {
  readonly clock: Clock;
  /** Is called as each phase begins, and with the result of each probe. */
  readonly phase: (phase: RestartPhase, last: ProbeResult | undefined) => void;
  /** The command line, which the journal names. */
  readonly command: string;
}

const pollMs = 500;

/**
 * Restarts a static pod as https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/ says: its manifest
 * leaves the directory that the kubelet watches, the pod stops, the manifest returns. Call it under the lock.
 * @throws KubepkiError conflict when the manifest is not what was read; unfinished when it cannot be put back
 */
export async function restartPod(
  state: StateDirectory,
  { pod, probe: endpoint }: ComponentRestart,
  { settleMs, stopTimeoutMs, startTimeoutMs }: RestartTimes,
  { clock, phase, command }: RestartWatch,
): Promise<RestartResult> {
  const sha256 = pod.target.before?.sha256 ?? '';
  phase('stopping', undefined);
  let returned: Return;
  const since = clock.elapsed();
  const away = moveAside(state, { path: pod.path, sha256 }, command);
  let last: ProbeResult;
  const seen = { replaced: false };
  try {
    last = await repeat(endpoint, clock, {
      until: (result) => {
        phase('stopping', result);
        // A configuration management may put a manifest there. Then no pod will stop any more.
        seen.replaced = isReplaced(away);
        // A component that is down proves nothing before the kubelet has looked: it may have been down before.
        return seen.replaced || (result.state === 'down' && clock.elapsed() - since >= settleMs);
      },
      deadline: since + stopTimeoutMs,
    });
  } finally {
    returned = moveBack(state, away);
  }
  if (returned.outcome === 'none') throw forgotten(pod.path);
  if (seen.replaced) return { status: 'replaced', returned };
  if (last.state !== 'down') return { status: 'not-stopped', returned, last };
  phase('starting', undefined);
  last = await repeat(endpoint, clock, {
    until: (result) => {
      phase('starting', result);
      return result.state === 'healthy';
    },
    deadline: clock.elapsed() + startTimeoutMs,
  });
  return last.state === 'healthy'
    ? { status: 'restarted', returned }
    : { status: 'not-started', returned, last };
}

/** The state directory was removed by another program, and perhaps the manifest that waited in it. */
function forgotten(file: string): KubepkiError {
  return new KubepkiError('unfinished', 'was taken away, and the journal that says where it waits is gone', {
    file,
    hint: 'see whether the manifest is in its place',
  });
}

async function repeat(
  endpoint: ComponentRestart['probe'],
  clock: Clock,
  { until, deadline }: { readonly until: (result: ProbeResult) => boolean; readonly deadline: number },
): Promise<ProbeResult> {
  for (;;) {
    const result = await probe(endpoint);
    const leftMs = deadline - clock.elapsed();
    if (until(result) || leftMs <= 0) return result;
    await clock.sleep(Math.min(pollMs, leftMs));
  }
}
