// Times in words, in the reader's time zone and language settings, which only the browser knows.
import { spokenMoment } from "./moments.js";

/** How long ago; the exact time is the tooltip, or shown itself. */
export function Moment({ at, never = "Never", isExact }) {
  if (!(at > 0)) return <span className="text-muted">{never}</span>;
  const date = new Date(at);
  const exact = date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  return (
    <time dateTime={date.toISOString()} title={exact}>
      {isExact ? exact : spokenMoment(at, Date.now())}
    </time>
  );
}
