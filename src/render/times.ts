const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Go's layout `Jan 02, 2006 15:04 MST`, in UTC as kubeadm prints it, whatever the machine's time zone and locale. */
export function kubeadmDate(date: Date): string {
  return `${kubeadmDay(date)} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`;
}

/** The same without the time of day: `Jan 02, 2006`. */
export function kubeadmDay(date: Date): string {
  const month = months[date.getUTCMonth()] ?? '';
  const year = String(date.getUTCFullYear()).padStart(4, '0');
  return `${month} ${two(date.getUTCDate())}, ${year}`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

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

/** `4s`, `1m02s`, `1h00m05s`: whole seconds, rounded down. */
export function elapsedTime(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const padded = (value: number): string => String(value % 60).padStart(2, '0');
  if (hours > 0) return `${String(hours)}h${padded(minutes)}m${padded(seconds)}s`;
  return minutes > 0 ? `${String(minutes)}m${padded(seconds)}s` : `${String(seconds)}s`;
}
