/**
 * Kubernetes' duration.HumanDuration (k8s.io/apimachinery/pkg/util/duration), which kubeadm prints since v1.31: two
 * units where the first is small, one where it is large. Everything is cut off, nothing rounded.
 */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  // Two seconds of clock difference are taken for "now".
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${String(seconds)}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return twoUnits(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${String(minutes)}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return twoUnits(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${String(hours)}h`;
  const days = Math.trunc(hours / 24);
  if (days < 8) return twoUnits(days, 'd', hours % 24, 'h');
  if (days < 2 * 365) return `${String(days)}d`;
  const years = Math.trunc(days / 365);
  if (years < 8) return twoUnits(years, 'y', days % 365, 'd');
  return `${String(years)}y`;
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0
    ? `${String(large)}${largeUnit}`
    : `${String(large)}${largeUnit}${String(small)}${smallUnit}`;
}
