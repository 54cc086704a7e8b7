const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Go's layout `Jan 02, 2006 15:04 MST`, in UTC as kubeadm prints it, whatever the machine's time zone and locale. */
export function kubeadmDate(date: Date): string {
  const month = months[date.getUTCMonth()] ?? '';
  const year = String(date.getUTCFullYear()).padStart(4, '0');
  return `${month} ${two(date.getUTCDate())}, ${year} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
