import { KubepkiError } from '../../errors/error.ts';
import type { ExpirationRow, ToldRows } from '../expiration/expiration-report.ts';
import type { AskingFlag, Check, Grade, Trouble } from './check.ts';
import { checks } from './checks.ts';
import type { Observed } from './observed.ts';

/** `none`: there is nothing of the kind on this node. `not-asked`: a flag asks for it, which was not given. */
export type CheckStatus = 'passed' | Grade | 'none' | 'not-asked';

export interface CheckResult {
  readonly id: string;
  readonly title: string;
  readonly status: CheckStatus;
  /** The flag that asks for it. */
  readonly flag: AskingFlag | undefined;
  /** Whether it has looked at anything: else its status is `none` or `not-asked`. */
  readonly isJudged: boolean;
  /** How many things it has looked at. */
  readonly looked: number;
  readonly troubles: readonly Trouble[];
}

/** From the worst to the best. */
const order: readonly CheckStatus[] = [
  'error',
  'unchecked',
  'warning',
  'note',
  'passed',
  'none',
  'not-asked',
];

/** What became of each check, in their order. */
export function verification(observed: Observed): readonly CheckResult[] {
  return checks.map((check) => resultOf(check, observed));
}

function resultOf({ id, title, flag, look }: Check, observed: Observed): CheckResult {
  if (flag !== undefined && !isAsked[flag](observed)) {
    return { id, title, flag, status: 'not-asked', isJudged: false, looked: 0, troubles: [] };
  }
  const { looked, troubles } = look(observed);
  const isJudged = looked > 0 || troubles.length > 0;
  return { id, title, flag, status: isJudged ? statusOf(troubles) : 'none', isJudged, looked, troubles };
}

const isAsked: Readonly<Record<AskingFlag, (observed: Observed) => boolean>> = {
  '--cis': ({ cis }) => cis,
  '--live': ({ live }) => live !== undefined,
  '--cluster': ({ cluster }) => cluster !== undefined,
};

/** Of a check that has looked at something. */
export function statusOf(troubles: readonly Trouble[]): CheckStatus {
  return order.find((status) => troubles.some(({ grade }) => grade === status)) ?? 'passed';
}

/** A trouble and the check that has found it. */
export interface Told extends Trouble {
  readonly check: string;
}

export function troublesOf(results: readonly CheckResult[]): readonly Told[] {
  const all = results.flatMap(({ id, troubles }) => troubles.map((trouble) => ({ ...trouble, check: id })));
  return order.flatMap((status) => all.filter(({ grade }) => grade === status));
}

/** What is known of one node. */
export interface NodeVerification {
  /** As it was named; empty where it is the only one. */
  readonly node: string;
  readonly results: readonly CheckResult[];
  /** When its certificates end: leaves and CAs. */
  readonly rows: readonly ExpirationRow[];
  /** Why nothing of it could be looked at; undefined: it could. */
  readonly error: KubepkiError | undefined;
  /** All that was found, the worst first, else in the order of the checks. */
  readonly told: readonly Told[];
  readonly verdict: Verdict;
  /** What a document tells by which another machine judges the node later; undefined: no document is asked for. */
  readonly document?: ToldNode;
}

export interface ToldNode extends ToldRows {
  /** undefined: its files do not tell. */
  readonly name: string | undefined;
  /** undefined: what it has printed does not say. */
  readonly time: Date | undefined;
}

/** In one word what a node is; it decides the exit code. From the worst to the best. */
export const verdicts = ['wrong', 'ending', 'unknown', 'well'] as const;
export type Verdict = (typeof verdicts)[number];

/**
 * @param name of the node among several; empty: it is the only one
 * @param doubt why what was found does not tell how the node is now
 */
export function nodeVerification(
  name: string,
  found: Pick<NodeVerification, 'results' | 'rows'> | KubepkiError,
  doubt?: KubepkiError,
): NodeVerification {
  const isLost = found instanceof KubepkiError;
  const results = isLost ? [] : found.results;
  const told = troublesOf(results);
  return {
    node: name,
    results,
    rows: isLost ? [] : found.rows,
    error: isLost ? found : doubt,
    told,
    verdict: isLost || doubt !== undefined ? 'wrong' : verdictOf(told),
  };
}

function verdictOf(told: readonly Told[]): Verdict {
  if (told.some(({ grade }) => grade === 'error')) return 'wrong';
  if (told.some(({ check }) => check === 'ends-soon')) return 'ending';
  return told.some(({ grade }) => grade === 'unchecked') ? 'unknown' : 'well';
}
