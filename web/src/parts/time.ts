/** A moment of a meeting, as `4:05` or `1:04:05`. */
export function clock(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = String(seconds % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** The milliseconds of `HH:MM:SS`. */
export function clockMs(text: string): number {
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0) * 1000;
}

/** A length in words: `1 h 4 min`, `12 min 5 s`, `8 s`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.round(seconds / 60);
  if (seconds >= 3600) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  if (seconds >= 60) return seconds % 60 ? `${Math.floor(seconds / 60)} min ${seconds % 60} s` : `${seconds / 60} min`;
  return `${seconds} s`;
}

/** A date, or a date and time, in English as all texts of the page; what is no date stays as it is. */
export function dateText(date: string): string {
  const found = new Date(date.length === 10 ? `${date}T00:00` : date);
  if (date === "" || Number.isNaN(found.getTime())) return date;
  const long = { dateStyle: "medium" } as const;
  return new Intl.DateTimeFormat("en", date.length === 10 ? long : { ...long, timeStyle: "short" }).format(found);
}
