// What the pages of one's own account are made of: panels with a heading, and rows in them.

export function Panel({ title, lead, action, children, isDanger }) {
  return (
    <section className={`panel${isDanger ? " is-danger" : ""}`} aria-label={title}>
      <header className="panel-head">
        <div>
          <h2>{title}</h2>
          {lead && <p className="panel-lead">{lead}</p>}
        </div>
        {action}
      </header>
      {children}
    </section>
  );
}

export const Rows = ({ label, children }) => <ul className="rows" aria-label={label}>{children}</ul>;

/** One line of a list: an icon, what it is, what is to be known of it, and what can be done. */
export function Row({ icon: Icon, mark, title, chip, detail, children }) {
  return (
    <li className="item-line">
      <span className="item-icon">{mark ?? <Icon size={18} strokeWidth={1.75} aria-hidden="true" />}</span>
      <div className="item-words">
        <p className="item-name"><span>{title}</span>{chip && <span className="chip">{chip}</span>}</p>
        {detail && <p className="item-detail">{detail}</p>}
      </div>
      {children && <div className="item-actions">{children}</div>}
    </li>
  );
}

export function Empty({ icon: Icon, children }) {
  return (
    <div className="panel-empty">
      <Icon size={22} strokeWidth={1.5} aria-hidden="true" />
      <p>{children}</p>
    </div>
  );
}
