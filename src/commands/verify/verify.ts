import { setImmediate } from 'node:timers/promises';
import { KubepkiError } from '../../errors/error.ts';
import type { Period } from '../../flags/values.ts';
import type { Typed } from '../../flags/table.ts';
import type { DocumentOptions } from '../../node/gather-documents.ts';
import { observe, usersHere } from '../../node/observe.ts';
import { openNode, readConfiguration, type NodeOptions } from '../../node/node-options.ts';
import { allRows } from '../../operations/expiration/expiration-report.ts';
import { expiration } from '../../operations/expiration/expiration.ts';
import type { Cluster } from '../../operations/verification/cluster/cluster.ts';
import type { Observed } from '../../operations/verification/observed.ts';
import {
  nodeVerification,
  verdicts,
  verification,
  type NodeVerification,
  type Verdict,
} from '../../operations/verification/verification.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** What is to be looked at, beside the files. */
export type LookOptions = Typed<
  'cis' | 'certsOnly' | 'live' | 'endpoint' | 'cluster' | 'kubeconfig' | 'kubeconfigFile' | 'at'
> & {
  /** A certificate that ends within this time is worth a warning. */
  readonly within: Period;
};

export type VerifyOptions = Omit<NodeOptions, 'rootfs'> &
  Typed<'rootfsFrom'> &
  DocumentOptions &
  LookOptions & {
    readonly rootfs?: readonly string[];
    readonly output: 'text' | 'json' | 'yaml' | 'junit' | 'github';
  };

const codes: Readonly<Record<Verdict, ExitCode>> = {
  wrong: exitCodes.expired,
  ending: exitCodes.expiring,
  unknown: exitCodes.error,
  well: exitCodes.done,
};

/** Looks at everything of one node, or of several trees, and says how it is. */
export async function verify(
  { rootfs: given = [], rootfsFrom, ...options }: VerifyOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const now = options.at ?? new Date();
  if (options.from !== undefined) {
    const { verifyDocuments } = await import('./verify-documents.ts');
    const nodes = await verifyDocuments({ ...options, from: options.from }, now, terminal);
    await show(nodes, { ...options, now, isList: true }, terminal);
    return exitCodeOf(nodes);
  }
  const isTold = options.output === 'json' || options.output === 'yaml';
  const [only, ...others] = given;
  if (rootfsFrom === undefined && others.length === 0) {
    const here = { ...options, ...(only !== undefined && { rootfs: only }), at: now, isTold };
    const node = await verifyNode(here, '', terminal);
    await show([node], { ...options, now, isList: false }, terminal);
    return exitCodeOf([node]);
  }
  if (options.live === true || options.endpoint !== undefined) {
    throw new KubepkiError('usage', '--live and --endpoint do not go with several trees', {
      hint: 'what is served can be asked of this machine only: verify it alone',
    });
  }
  const { readTreeList } = await import('../../node/tree-list.ts');
  const listed = rootfsFrom === undefined ? [] : await readTreeList(rootfsFrom);
  const nodes: NodeVerification[] = [];
  for (const rootfs of new Set([...given, ...listed])) {
    const here = { ...options, rootfs, at: now, isTold };
    nodes.push(await verifyNode(here, rootfs, terminal).catch(unreadable(rootfs, now)));
    // For Ctrl-C.
    await setImmediate();
  }
  await show(nodes, { ...options, now, isList: true }, terminal);
  return exitCodeOf(nodes);
}

/**
 * @param name of the node among several; empty: it is the only one
 * @throws KubepkiError where kubeadm manages nothing
 */
export async function verifyNode(
  options: NodeOptions & LookOptions & { readonly isTold?: boolean },
  name: string,
  terminal: Terminal,
): Promise<NodeVerification> {
  const {
    within,
    cis = false,
    certsOnly = false,
    endpoint = [],
    kubeconfigFile = [],
    at: now = new Date(),
  } = options;
  const node = openNode(options, await readConfiguration(options, terminal));
  const people = { users: usersHere(), kubeconfigs: kubeconfigFile };
  const files = observe(node, { now, withinMs: within.milliseconds, cis, certsOnly, people });
  const isLive = options.live === true;
  const live =
    isLive || endpoint.length > 0
      ? await (await import('../../node/observe-live.ts')).observeLive(files, { isLive, given: endpoint })
      : undefined;
  const cluster = options.cluster === true ? await askCluster(files, options, terminal) : undefined;
  const rows = allRows(expiration(files.subject, files.findings).report);
  const found = nodeVerification(name, { results: verification({ ...files, live, cluster }), rows });
  if (options.isTold !== true) return found;
  const { toldNode } = await import('./told-node.ts');
  return { ...found, document: toldNode({ ...files, live }, node) };
}

async function askCluster(
  files: Observed,
  { kubeconfig, certDir }: NodeOptions & LookOptions,
  terminal: Terminal,
): Promise<Cluster> {
  const progress = terminal.progress('asking the cluster');
  try {
    const { observeCluster } = await import('./observe-cluster.ts');
    return await observeCluster(files, { kubeconfig, isCertDirGiven: certDir !== undefined });
  } finally {
    progress.end();
  }
}

export function exitCodeOf(nodes: readonly NodeVerification[]): ExitCode {
  const worst = verdicts.find((verdict) => nodes.some((node) => node.verdict === verdict));
  return codes[worst ?? 'well'];
}

interface Showing {
  readonly output: VerifyOptions['output'];
  readonly now: Date;
  readonly isList: boolean;
}

/** Each way of saying it is loaded only when it is asked for. */
async function show(
  nodes: readonly NodeVerification[],
  { output, now, isList }: Showing,
  terminal: Terminal,
): Promise<void> {
  switch (output) {
    case 'text': {
      const look = terminal.tableLook();
      if (look === undefined) {
        const { verificationText } = await import('../../render/verification/verification-text.ts');
        terminal.result(verificationText(nodes));
        return;
      }
      const { verificationTables } = await import('../../terminal/tables/verification.ts');
      for (const text of verificationTables(nodes, look)) terminal.result(text);
      return;
    }
    case 'json':
    case 'yaml': {
      const { verificationDocument } = await import('../../render/verification/verification-document.ts');
      terminal.result(verificationDocument(nodes, { format: output, now, isList }));
      return;
    }
    case 'junit': {
      const { junitReport } = await import('../../render/verification/junit.ts');
      terminal.result(junitReport(nodes, now));
      return;
    }
    case 'github': {
      const { githubLines } = await import('../../render/verification/github.ts');
      terminal.result(githubLines(nodes));
      return;
    }
  }
}

function unreadable(node: string, time: Date): (error: unknown) => NodeVerification {
  return (error) => {
    if (!(error instanceof KubepkiError)) throw error;
    const document = { name: node, time, rows: [], facts: new Map<string, never>() };
    return { ...nodeVerification(node, error), document };
  };
}
