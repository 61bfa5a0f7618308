// Times in words, in the reader's time zone, which only the browser knows.
import { spokenMoment } from "./moments.js";

/** How long ago; the exact time is the tooltip, or shown itself, or its day alone. */
export function Moment({ at, never = "Never", isExact, isDay }) {
  if (!(at > 0)) return <span className="text-muted">{never}</span>;
  const date = new Date(at);
  const exact = date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  const day = date.toLocaleDateString("en-GB", { dateStyle: "long" });
  return (
    <time dateTime={date.toISOString()} title={exact}>
      {isExact ? exact : isDay ? day : spokenMoment(at, Date.now())}
    </time>
  );
}
