import { KubepkiError } from '../../errors/error.ts';
import type { TreesOptions } from '../../flags/trees-options.ts';
import type { Period } from '../../flags/period-option.ts';
import { observe } from '../../node/observe.ts';
import { openNode, type NodeOptions } from '../../node/node-options.ts';
import {
  verdictOf,
  verdicts,
  verification,
  type NodeVerification,
  type Verdict,
} from '../../operations/verification/verification.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { allRows } from '../../operations/expiration/expiration-report.ts';
import type { GivenEndpoint } from '../../operations/verification/endpoints.ts';
import { observeLive } from './observe-live.ts';
import { expiration } from '../../operations/expiration/expiration.ts';
import { verificationTables } from '../../terminal/tables/verification.ts';
import { verificationText } from '../../render/verification/verification-text.ts';
import { verificationDocument } from '../../render/verification/verification-document.ts';
import { junitReport } from '../../render/verification/junit.ts';
import { githubLines } from '../../render/verification/github.ts';

export interface VerifyOptions extends Omit<NodeOptions, 'rootfs'>, TreesOptions {
  readonly output: 'text' | 'json' | 'yaml' | 'junit' | 'github';
  readonly within: Period;
  readonly cis?: boolean;
  readonly certsOnly?: boolean;
  readonly live?: boolean;
  readonly endpoint?: readonly GivenEndpoint[];
  readonly at?: Date;
}

const codes: Readonly<Record<Verdict, ExitCode>> = {
  wrong: exitCodes.expired,
  ending: exitCodes.expiring,
  unknown: exitCodes.error,
  well: exitCodes.done,
};

export async function verify(
  { rootfs: given = [], rootfsFrom, ...options }: VerifyOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  void rootfsFrom;
  const isList = given.length > 1;
  const now = options.at ?? new Date();
  const nodes: NodeVerification[] = [];
  if (!isList)
    nodes.push(
      await verifyOne({ ...options, ...(given[0] !== undefined && { rootfs: given[0] }) }, '', now, terminal),
    );
  for (const rootfs of isList ? given : []) {
    nodes.push(await verifyOne({ ...options, rootfs }, rootfs, now, terminal).catch(unlooked(rootfs)));
  }
  const look = options.output === 'text' ? terminal.tableLook() : undefined;
  if (look === undefined) terminal.result(textOf(nodes));
  else for (const text of verificationTables(nodes, look)) terminal.result(text);
  const worst = verdicts.find((verdict) => nodes.some((node) => verdictOf(node) === verdict)) ?? 'well';
  return codes[worst];

  function textOf(all: readonly NodeVerification[]): string {
    switch (options.output) {
      case 'text':
        return verificationText(all);
      case 'json':
      case 'yaml':
        return verificationDocument(all, { format: options.output, now, isList });
      case 'junit':
        return junitReport(all, now);
      case 'github':
        return githubLines(all);
    }
  }
}

async function verifyOne(
  options: NodeOptions & Pick<VerifyOptions, 'within' | 'cis' | 'certsOnly' | 'live' | 'endpoint'>,
  node: string,
  now: Date,
  terminal: Terminal,
): Promise<NodeVerification> {
  const opened = await openNode(options, terminal);
  const { within, cis = false, certsOnly = false, endpoint = [] } = options;
  const sudoer = process.env['SUDO_USER'];
  const users = ['root', ...(sudoer === undefined ? [] : [sudoer])];
  const files = observe(opened, { now, withinMs: within.milliseconds, cis, certsOnly, users });
  const live =
    options.live === true || endpoint.length > 0 ? await observeLive(files, endpoint) : undefined;
  const observed = { ...files, live };
  return {
    node,
    results: verification(observed),
    rows: allRows(expiration(observed.subject).report),
    error: undefined,
  };
}

function unlooked(node: string): (error: unknown) => NodeVerification {
  return (error) => {
    if (!(error instanceof KubepkiError)) throw error;
    return { node, results: [], rows: [], error };
  };
}
