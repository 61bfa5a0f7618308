// What the answers of this conversation may use; what one did use stands under it: one quiet line above the composer.
import { useEffect, useState } from "react";
import { useParams } from "react-router";
import { FileText, Library, Paperclip, X } from "lucide-react";

const SHOWN = 3;
const ICONS = { collection: Library, attachments: Paperclip };
const WORDS = { collection: "Collection", attachments: "Attached to a message", document: "Document" };

function Item({ item, onDetach }) {
  const [isLeaving, setLeaving] = useState(false);
  const Icon = ICONS[item.kind] ?? FileText;
  const detach = () => {
    setLeaving(true);
    // If that did not work, the page says so, and the button works again.
    setTimeout(() => setLeaving(false), 3000);
    onDetach(item.id);
  };
  return (
    <li className="context-source" title={`${WORDS[item.kind] ?? "Document"}: ${item.name}. Answers here may use it.`}>
      <Icon size={14} strokeWidth={1.75} aria-hidden="true" />
      <span className="context-source-name">{item.name}</span>
      <button type="button" className="attachment-button" aria-label={`Take ${item.name} out`} disabled={isLeaving} onClick={detach}>
        <X size={13} aria-hidden="true" />
      </button>
    </li>
  );
}

export function ContextSourceLine({ attached, of, onDetach }) {
  const { conversation_id: conversation = "" } = useParams();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [conversation]);
  if (!conversation || of !== conversation || !attached.length) return null;
  // One more takes no more room than the words that there is one more.
  const isCut = !isOpen && attached.length > SHOWN + 1;
  const shown = isCut ? attached.slice(0, SHOWN) : attached;
  return (
    <section className="context-sources" aria-label="What answers may use">
      <span className="context-sources-title">Answers may use</span>
      <ul>
        {shown.map((item) => <Item key={item.id} item={item} onDetach={onDetach} />)}
        {isCut && (
          <li>
            <button type="button" className="context-source-more" aria-label={`Show ${attached.length - SHOWN} more`} onClick={() => setOpen(true)}>{`+${attached.length - SHOWN}`}</button>
          </li>
        )}
      </ul>
    </section>
  );
}
