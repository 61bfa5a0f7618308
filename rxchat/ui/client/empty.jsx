// The first page: a greeting, and four things that really work with a tiny model.
import { ArrowUpRight, FlaskConical } from "lucide-react";
import { offered } from "./page-state.js";
import { firstName } from "./words.js";

const EXAMPLES = [
  { title: "Ask for a fact", text: "What is the capital of France, and what is it known for?" },
  { title: "Rewrite a sentence", text: "Rewrite this politely: Send me the report now." },
  { title: "Make a list", text: "List five simple ideas for a healthy breakfast." },
  { title: "Explain something", text: "Explain in two sentences why the sky is blue." },
];

function DemoNote({ model }) {
  return (
    <details className="demo-note">
      <summary>
        <FlaskConical size={15} strokeWidth={1.75} aria-hidden="true" />
        <span>You are using the demo model <b>{model}</b>. It is small and often wrong. <u>Connect your own</u></span>
      </summary>
      <p>Stop RxChat, set the address of your Ollama host, and start again:</p>
      <pre tabIndex={0}>OLLAMA_HOSTS=http://your-host:11434 make run</pre>
    </details>
  );
}

export function EmptyState({ name, model, isDemo }) {
  const first = firstName(name);
  return (
    <section className="empty" aria-label="New chat">
      <h1>{first ? `Hello, ${first}` : "Hello"}</h1>
      <p className="empty-lead">{model && !isDemo ? <>What would you like to know? <b>{model}</b> answers.</> : "What would you like to know?"}</p>
      <ul>
        {EXAMPLES.map((example) => (
          <li key={example.title}>
            <button type="button" onClick={() => offered.set({ text: example.text })}>
              <span className="example-title">{example.title}<ArrowUpRight size={15} aria-hidden="true" /></span>
              <span className="example-text">{example.text}</span>
            </button>
          </li>
        ))}
      </ul>
      {isDemo && <DemoNote model={model} />}
    </section>
  );
}
