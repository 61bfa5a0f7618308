// A table of an answer, with what spreadsheets take: only the browser has the clipboard, and makes a file of what it shows.
import { useRef } from "react";
import { extractTableDataFromElement, tableDataToCSV, tableDataToTSV } from "streamdown";
import { Download } from "lucide-react";
import { CopyButton } from "./copy.jsx";
import { copyOf } from "./plain-text.js";
import { saveText } from "./save.js";
import { Toolbar } from "./toolbar.jsx";
import { inertCell } from "./words.js";

function dataOf(box) {
  const { headers, rows } = extractTableDataFromElement(copyOf(box.querySelector("table")));
  return { headers: headers.map(inertCell), rows: rows.map((row) => row.map(inertCell)) };
}

/** @param {Record<string, any>} props */
export function Table({ children }) {
  const box = useRef(/** @type {any} */ (null));
  return (
    <div className="table-frame">
      {/* biome-ignore lint/a11y: what scrolls has to be reached with the keyboard, and is neither a landmark nor a set of fields. */}
      <div ref={box} className="table-box" tabIndex={0} role="group" aria-label="Table">
        <table>{children}</table>
      </div>
      <Toolbar label="Table" className="table-tools">
        <CopyButton text={() => tableDataToTSV(dataOf(box.current))} label="Copy table" withWord className="code-tool" />
        <button type="button" className="code-tool" onClick={() => saveText("table.csv", "text/csv", `\ufeff${tableDataToCSV(dataOf(box.current))}`)}>
          <Download size={14} strokeWidth={1.75} aria-hidden="true" />
          <span>Download CSV</span>
        </button>
      </Toolbar>
    </div>
  );
}
