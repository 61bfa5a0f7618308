// One conversation in the sidebar: a link, and on hover or focus what can be done with it.
import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { Ellipsis, Pencil, Trash2 } from "lucide-react";
import { Menu, MenuItem, useEscape } from "./controls.jsx";
import { drawer } from "./page-state.js";

const LONG_PRESS = 500;

function RenameField({ title, onDone }) {
  const [value, setValue] = useState(title);
  const field = useRef(null);
  const isDone = useRef(false);
  const finish = (next) => {
    if (isDone.current) return;
    isDone.current = true;
    onDone(next);
  };
  useEscape(true, () => finish(null));
  useEffect(() => field.current?.select(), []);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        finish(value.trim());
      }}
    >
      <input
        ref={field}
        className="rename"
        aria-label="Conversation title"
        maxLength={200}
        value={value}
        onChange={(event) => setValue(event.target.value)}
        onBlur={() => finish(value.trim())}
        autoFocus
      />
    </form>
  );
}

/** A long press opens the row's menu on touch screens, where nothing hovers. */
function useLongPress(open) {
  const timer = useRef(0);
  const cancel = () => clearTimeout(timer.current);
  useEffect(() => cancel, []);
  return {
    onTouchStart: () => {
      cancel();
      timer.current = setTimeout(open, LONG_PRESS);
    },
    onTouchEnd: cancel,
    onTouchMove: cancel,
  };
}

export function SidebarRow({ row, isCurrent, isRunning, onRename, onRemove }) {
  const [isRenaming, setRenaming] = useState(false);
  const item = useRef(null);
  const press = useLongPress(() => item.current?.querySelector("[aria-haspopup]")?.click());
  if (isRenaming) {
    const done = (title) => {
      setRenaming(false);
      if (title && title !== row.title) onRename(row.id, title);
    };
    return <li><RenameField title={row.title} onDone={done} /></li>;
  }
  return (
    <li ref={item} className="row" data-current={isCurrent || undefined} {...press}>
      <Link to={`/c/${row.id}`} aria-current={isCurrent ? "page" : undefined} title={row.title} onClick={() => drawer.set(false)}>
        <span className="row-title">{row.title}</span>
        {isRunning && <span className="pulse" role="img" aria-label="An answer is being written" />}
      </Link>
      <Menu
        label={`Actions for ${row.title}`}
        placement="bottom-end"
        className="row-menu"
        button={(props) => (
          <button type="button" className="icon-button small" aria-label={`Actions for ${row.title}`} {...props}>
            <Ellipsis size={16} aria-hidden="true" />
          </button>
        )}
      >
        <MenuItem icon={Pencil} onClick={() => setRenaming(true)}>Rename</MenuItem>
        <MenuItem icon={Trash2} isDanger onClick={() => onRemove(row.id)}>Delete</MenuItem>
      </Menu>
    </li>
  );
}
