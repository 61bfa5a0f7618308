// A conversation behind a public link: the same messages as in the chat, to be read only.
import { useEffect } from "react";
import { ErrorBoundary } from "./error-boundary.jsx";
import { AssistantMessage, loadMarkdown, UserMessage } from "./message.jsx";

export function PublicConversation({ messages }) {
  useEffect(() => void loadMarkdown(), []);
  return (
    <div className="thread public-thread">
      {messages.map((message) => (
        <ErrorBoundary key={message.id} fallback={<p className="message-status">This message cannot be shown.</p>}>
          {message.role === "user" ? <UserMessage message={message} readOnly /> : <AssistantMessage message={message} readOnly />}
        </ErrorBoundary>
      ))}
    </div>
  );
}
