import type { RequestCondition, RequestObject } from './request-object.ts';

/** Where one request stands. Reasons and messages are the API server's: they may be anything. */
export type Standing =
  | { readonly kind: 'pending' }
  /** Approved, and not issued yet. */
  | { readonly kind: 'approved' }
  /** `certificate`: PEM, as the API server gave it. Nobody has looked at it. */
  | { readonly kind: 'issued'; readonly certificate: string }
  | { readonly kind: 'denied'; readonly reason: string; readonly message: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string }
  /** Somebody has deleted it. */
  | { readonly kind: 'gone' };

/** Where several are true, a denial counts first, then a failure: what is certain is that nothing more will come. */
export function standingOf({ conditions, certificate }: RequestObject): Exclude<Standing, { kind: 'gone' }> {
  const find = (type: string): RequestCondition | undefined =>
    conditions.find((condition) => condition.type === type);
  const [denied, failed] = [find('Denied'), find('Failed')];
  if (denied !== undefined) return { kind: 'denied', reason: denied.reason, message: denied.message };
  if (failed !== undefined) return { kind: 'failed', reason: failed.reason, message: failed.message };
  if (find('Approved') === undefined) return { kind: 'pending' };
  return certificate === undefined ? { kind: 'approved' } : { kind: 'issued', certificate };
}
