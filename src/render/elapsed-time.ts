/** `4s`, `1m02s`, `1h00m05s`: whole seconds, rounded down. */
export function elapsedTime(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const padded = (value: number): string => String(value % 60).padStart(2, '0');
  if (hours > 0) return `${String(hours)}h${padded(minutes)}m${padded(seconds)}s`;
  return minutes > 0 ? `${String(minutes)}m${padded(seconds)}s` : `${String(seconds)}s`;
}
