/** What is due at a moment: what has expired, and what expires within this time from then. */
export interface DueWindow {
  readonly now: Date;
  readonly withinMs: number;
}

/**
 * Remaining time decides, never a share of the lifetime: kubeadm's leaves carry the notBefore of their CA, so that a year's
 * certificate of an old CA looks nearly used up on its first day.
 */
export function isDue(notAfter: Date, { now, withinMs }: DueWindow): boolean {
  return notAfter.getTime() - now.getTime() <= withinMs;
}

/** At its last second a certificate has expired: nothing can be done with it any more. */
export function hasExpired(residualMs: number): boolean {
  return residualMs <= 0;
}
