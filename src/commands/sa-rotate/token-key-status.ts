import { commandLine } from '../../errors/command-line.ts';
import type { clusterFlags, Typed } from '../../flags/table.ts';
import { askTokenKeys } from '../../node/ask-token-keys.ts';
import { openNode, readConfiguration, type NodeOptions } from '../../node/node-options.ts';
import { readTokenKeyNode } from '../../node/token-keys.ts';
import { noteWaiting } from '../../node/waiting.ts';
import type { TokenCluster } from '../../operations/token-key/cluster.ts';
import { manifestFaults } from '../../operations/token-key/manifest-use.ts';
import { keysOf, nextStage, nextSteps } from '../../operations/token-key/progress.ts';
import { tokenKeyState } from '../../operations/token-key/state.ts';
import { progressText, statusDocument, statusText } from '../../render/token-key/token-key-status.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export type SaStatusOptions = NodeOptions & Typed<(typeof clusterFlags)[number] | 'output'>;

/**
 * Says where the replacement of the service-account key is. Writes nothing.
 * @param isShort only that, and what is next
 */
export async function showTokenKeyStatus(
  options: SaStatusOptions,
  terminal: Terminal,
  { isShort }: { readonly isShort: boolean },
): Promise<ExitCode> {
  const now = new Date();
  const node = openNode(options, await readConfiguration(options, terminal));
  await noteWaiting(node, terminal);
  const { files, pods, named } = readTokenKeyNode(node);
  const state = tokenKeyState(files);
  const progress = terminal.progress('asking the cluster');
  const cluster = await askTokenKeys(node, options).finally(() => {
    progress.end();
  });
  for (const { oneLine, hint } of manifestFaults(pods, named, files)) {
    terminal.warning(oneLine);
    terminal.hint(hint);
  }
  warnOfUnasked(cluster, terminal);
  const status = {
    stage: state.stage,
    keys: keysOf(state),
    cluster,
    next: nextStage(state, { cluster, now }),
    steps: nextSteps(state, files, commandLine(node.flags)),
  };
  const { output } = options;
  if (output === 'text') terminal.result(isShort ? progressText(status) : statusText(status));
  else terminal.result(statusDocument(status, output));
  return exitCodes.done;
}

/** What the tables leave out then is not well, but unknown. */
function warnOfUnasked(cluster: TokenCluster | undefined, terminal: Terminal): void {
  if (cluster === undefined) return;
  const { apiServers, controllerManagers, secrets } = cluster;
  const hints = new Map(
    [apiServers, controllerManagers, secrets].flatMap((part) =>
      part.status === 'unasked' ? [[part.why, part.hint] as const] : [],
    ),
  );
  for (const [why, hint] of hints) {
    terminal.warning(`the cluster could not be asked for all of it: ${why}`);
    terminal.hint(hint);
  }
}
