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
