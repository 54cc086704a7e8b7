import { onInterrupt } from './signals.ts';
import { writeOutput, type OutputName } from './standard-streams.ts';

interface Held {
  readonly stream: OutputName;
  readonly text: string;
}

let holding = false;
const held: Held[] = [];

/** From here on what says that all is well is kept until something is wrong: cron mails what it reads. */
export function holdOutput(): void {
  if (holding) return;
  holding = true;
  onInterrupt(() => {
    releaseOutput();
  });
}

export function writeOrHold(stream: OutputName, text: string): void {
  if (holding) held.push({ stream, text });
  else writeOutput(stream, text);
}

/** Something is wrong, so the whole story is told: what was held back, and whatever comes after it. */
export function releaseOutput(): void {
  holding = false;
  for (const { stream, text } of held.splice(0)) writeOutput(stream, text);
}
